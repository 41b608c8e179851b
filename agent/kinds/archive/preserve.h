#pragma once

/// Paths that would not survive, archived where they do.

#include "agent/kinds/kind.h"
#include "schema/backup.capnp.h"

namespace relab::agent::archive {

struct Preserve {
  static constexpr std::string_view arm = "preserve";
  using Params = schema::Preserve;
  using Facts = schema::Preserve::Facts;
  /// Reads an archive that is there back from its disk, whole: what is done is also verified. And
  /// compares it with what is there now.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused if nothing is mounted on the folder, if a path is not there, or if another file
  /// has the name.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  /// What is archived goes on changing: whoever has just written the archive has done what was
  /// asked.
  static Result<std::vector<Change>> left(Params::Reader params, Facts::Reader before,
                                          Facts::Reader now);
  /// Units that are stopped for it are started again whatever comes of it, by the rescue; and if
  /// the agent dies, by a timer of the place itself.
  static Result<void> apply(const Change& change, const Hands& hands);
};
static_assert(MovingKind<Preserve>);

}  // namespace relab::agent::archive
