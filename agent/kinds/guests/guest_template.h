#pragma once

/// A template on a storage, with the content that Proxmox's index tells.

#include "agent/kinds/kind.h"
#include "schema/guest.capnp.h"

namespace relab::agent::guests {

struct GuestTemplate {
  static constexpr std::string_view arm = "guestTemplate";
  using Params = schema::GuestTemplate;
  using Facts = schema::GuestTemplate::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused if what is there has other content: nothing is overwritten.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(ChangeKind<GuestTemplate>);

}  // namespace relab::agent::guests
