#pragma once

/// What an archive has, put back.

#include "agent/kinds/kind.h"
#include "schema/backup.capnp.h"

namespace relab::agent::archive {

struct Restore {
  static constexpr std::string_view arm = "restore";
  using Params = schema::Restore;
  using Facts = schema::Restore::Facts;
  /// Reads the archive back whole, and compares every entry that is asked for with what is there.
  /// The time of a folder, which changes with what is put into it, is not compared.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused if the archive is not whole, or if something differs and is not to be replaced.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(ChangeKind<Restore>);

}  // namespace relab::agent::archive
