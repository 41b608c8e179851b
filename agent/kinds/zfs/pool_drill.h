#pragma once

/// A restore for practice of a copy in a pool: it is opened with the key where it lies, and its
/// snapshot is compared with the one that it is of.

#include <vector>

#include "agent/kinds/kind.h"
#include "agent/kinds/zfs/compare.h"
#include "agent/kinds/zfs/pool_copy.h"

namespace relab::agent::zfs {

struct PoolDrillWish {
  PoolCopyWish copy;
  /// The name of the secret; empty: there is none.
  std::string key;
  std::size_t sample = 0;
};

/// Takes away what an earlier drill of this copy left: mounts, and keys that are loaded.
Result<void> close_copy(Host& host, const PoolCopyWish& wish);

/// Mounts nothing at its own place and sets no property; whatever comes of it, the copy is closed
/// again. An error if anything is different, if any key is not opened, or if something stayed.
Result<std::vector<Compared>> drill_in_pool(const Hands& hands, const PoolDrillWish& wish);

}  // namespace relab::agent::zfs
