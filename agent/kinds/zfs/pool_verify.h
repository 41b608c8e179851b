#pragma once

/// The proof that a copy in another pool can be restored: its pool is taken away and brought back,
/// every block of it is read, and the copy is opened and compared.

#include "agent/kinds/kind.h"

namespace relab::agent::zfs {

struct ZfsPoolBackupVerify {
  static constexpr std::string_view arm = "zfsPoolBackupVerify";
  using Params = schema::ZfsPoolBackupVerify;
  using Facts = schema::ZfsPoolBackupVerify::Facts;
  /// Errors as for the copy's own look.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused if there is no complete copy of what the living pool has.
  static Result<std::vector<std::string>> intends(Params::Reader params, Facts::Reader facts);
  /// Fault::damaged if anything speaks against the copy or its pool, which is imported whatever
  /// comes of it, or the error says that it is not. Keys that were loaded in it are not any more.
  static Result<Message<Facts>> attempt(Params::Reader params, Facts::Reader facts,
                                        const Hands& hands);
};
static_assert(TrialKind<ZfsPoolBackupVerify>);

}  // namespace relab::agent::zfs
