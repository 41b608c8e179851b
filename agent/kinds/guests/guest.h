#pragma once

/// A container as it is declared, made where there is none, and changed by the smallest step where
/// it is otherwise. It never destroys or shrinks anything.

#include "agent/kinds/kind.h"
#include "schema/guest.capnp.h"

namespace relab::agent::guests {

struct Guest {
  static constexpr std::string_view arm = "guest";
  using Params = schema::Guest;
  using Facts = schema::Guest::Facts;
  /// Fault::invalid if the task leaves something out that no container can be without.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused for what would destroy or shrink, for a guest that relab did not make, and
  /// while a directory of the host is not there.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  /// What Proxmox keeps for the next start of a container that runs.
  static std::vector<std::string> notes(Params::Reader params, Facts::Reader facts);
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(ChangeKind<Guest>);

}  // namespace relab::agent::guests
