#pragma once

/// One file with exactly this content.

#include "agent/kinds/kind.h"
#include "schema/system.capnp.h"

namespace relab::agent::system {

struct File {
  static constexpr std::string_view arm = "file";
  using Params = schema::File;
  using Facts = schema::File::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused where something else than a file is in its place.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  /// Fault::missing without its folder.
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(ChangeKind<File>);

}  // namespace relab::agent::system
