#pragma once

/// One unit of systemd: whether it starts by itself, and whether it runs.

#include "agent/kinds/kind.h"
#include "schema/system.capnp.h"

namespace relab::agent::system {

struct Unit {
  static constexpr std::string_view arm = "unit";
  using Params = schema::Unit;
  using Facts = schema::Unit::Facts;
  /// Watches a unit that is to be active, and is, for as long as it has to stay so; one that is to
  /// be inactive likewise. Fault::refused where that one would be started by another, which is
  /// active.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::missing if there is no such unit, ::refused if it cannot be as it was ordered.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  /// Fault::damaged, with the last lines of its log, if it does not stay active.
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(ChangeKind<Unit>);

}  // namespace relab::agent::system
