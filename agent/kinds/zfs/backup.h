#pragma once

/// A copy of a dataset and of all below it, as a raw send stream in a file on another disk.

#include "agent/kinds/kind.h"

namespace relab::agent::zfs {

struct ZfsBackup {
  static constexpr std::string_view arm = "zfsBackup";
  using Params = schema::ZfsBackup;
  using Facts = schema::ZfsBackup::Facts;
  /// Reads no byte of a stream that is there: that is for the verification.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused if nothing is mounted on the folder, or something of the pool itself, if the
  /// stream and a margin do not fit, or if another file has the name.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(ChangeKind<ZfsBackup>);

}  // namespace relab::agent::zfs
