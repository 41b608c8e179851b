#pragma once

/// Whether a container runs: pct may end with 0 although its system ended at once.

#include "agent/kinds/kind.h"
#include "schema/guest.capnp.h"

namespace relab::agent::guests {

struct GuestPower {
  static constexpr std::string_view arm = "guestPower";
  using Params = schema::GuestPower;
  using Facts = schema::GuestPower::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused while a directory of the host is not there: the container would write beside
  /// it.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  /// What Proxmox keeps for the next start of a container that runs.
  static std::vector<std::string> notes(Params::Reader params, Facts::Reader facts);
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(ChangeKind<GuestPower>);

}  // namespace relab::agent::guests
