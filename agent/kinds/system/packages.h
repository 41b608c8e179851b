#pragma once

/// Packages that are installed, by dpkg's own word.

#include "agent/kinds/kind.h"
#include "schema/system.capnp.h"

namespace relab::agent::system {

struct Packages {
  static constexpr std::string_view arm = "packages";
  using Params = schema::Packages;
  using Facts = schema::Packages::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused if others would be removed, or one is on hold, ::missing if apt cannot have
  /// them.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(ChangeKind<Packages>);

}  // namespace relab::agent::system
