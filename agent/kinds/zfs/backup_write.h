#pragma once

/// Writes the stream and its manifest. We are the only writer between `zfs send` and the disk: its
/// exit status, its words and the stream itself are judged, none of them alone.

#include "agent/kinds/zfs/backup_view.h"
#include "agent/kinds/zfs/send_stream.h"

namespace relab::agent::zfs {

/// What was found and approved of, before it is written.
struct BackupGround {
  std::string disk_serial;
  /// For the progress.
  std::uint64_t estimate = 0;
};

/// After an error nothing has the stream's name, unless it is that the folder could not be synced.
Result<void> write_backup(Host& host, const BackupWish& wish, const BackupGround& ground);

/// Whether the stream has exactly the snapshots that were to be sent, each with what it is based
/// on, and what is encrypted raw. Fault::damaged if not, with the first difference.
Result<void> check_stream(const SendStream& stream, const std::vector<Node>& snapshots);

}  // namespace relab::agent::zfs
