#pragma once

/// A restore for practice: the copy is received below a dataset of its own, opened with the key,
/// mounted and compared with the snapshot that it is of. Raw streams have had their datasets
/// damaged on the way back: that it was received is not enough.

#include <string>
#include <vector>

#include "agent/kinds/kind.h"
#include "agent/kinds/zfs/backup_view.h"
#include "agent/kinds/zfs/compare.h"
#include "agent/kinds/zfs/manifest.h"

namespace relab::agent::zfs {

struct DrillWish {
  BackupWish copy;
  /// The dataset below which it is received.
  std::string scratch;
  /// The name of the secret; empty: there is none.
  std::string key;
  std::size_t sample = 0;

  std::string place() const { return scratch + "/relab-drill"; }
  std::string received() const { return place() + "/copy"; }
};

/// What the scratch is like.
struct DrillGround {
  /// Once the leftover is removed.
  std::uint64_t available = 0;
  /// What an earlier drill left; empty: nothing.
  std::string leftover = {};
  /// Bytes in it.
  std::uint64_t held = 0;
};
/// Fault::conflict if something of the drill's name was not made by one.
Result<DrillGround> read_drill_ground(Host& host, const DrillWish& wish);

/// Takes away what an earlier drill left, if anything, and waits until its room is free again.
Result<void> clear_drill_ground(Host& host, const DrillWish& wish);

/// Reads the stream through `looking` into the scratch; `check` says whether what was read is what
/// was written. Nothing of the drill is left, whatever comes of it. An error if anything is
/// different, or if what was set up could not be taken away again.
Result<std::vector<Compared>> drill(const Hands& hands, const DrillWish& wish, Sink& looking,
                                    const std::function<Result<void>()>& check,
                                    const Origin& origin);

}  // namespace relab::agent::zfs
