#pragma once

/// One folder with its owner and mode.

#include "agent/kinds/kind.h"
#include "schema/system.capnp.h"

namespace relab::agent::system {

struct Directory {
  static constexpr std::string_view arm = "directory";
  using Params = schema::Directory;
  using Facts = schema::Directory::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused where something else is in its place, ::missing if a folder above it is not
  /// there and none is to be made.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  /// Fault::missing if a folder above it is not there.
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(ChangeKind<Directory>);

}  // namespace relab::agent::system
