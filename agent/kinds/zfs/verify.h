#pragma once

/// The proof that a copy can be restored: everything is read back from the disk, and received,
/// opened and compared in scratch.

#include "agent/kinds/kind.h"

namespace relab::agent::zfs {

struct ZfsBackupVerify {
  static constexpr std::string_view arm = "zfsBackupVerify";
  using Params = schema::ZfsBackupVerify;
  using Facts = schema::ZfsBackupVerify::Facts;
  /// Reads no byte of the stream. Errors as for the backup's own look.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused if there is no complete copy of what the living pool has, or if it lies on
  /// another disk than it was written on.
  static Result<std::vector<std::string>> intends(Params::Reader params, Facts::Reader facts);
  /// Fault::damaged if anything is not what was written. A drill that is wanted and has no room is
  /// left out, and the facts say so.
  static Result<Message<Facts>> attempt(Params::Reader params, Facts::Reader facts,
                                        const Hands& hands);
};
static_assert(TrialKind<ZfsBackupVerify>);

}  // namespace relab::agent::zfs
