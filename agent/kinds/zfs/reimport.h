#pragma once

/// A pool taken away and brought back: what is read of it then comes from its disks.

#include "agent/kinds/kind.h"
#include "agent/kinds/zfs/pool_copy.h"

namespace relab::agent::zfs {

/// Exports the pool and imports it by its GUID from the same devices; what of it was mounted is
/// mounted again. Fault::refused, before anything is done, if a key of it is loaded: it would be
/// lost. After any other error the pool is imported, or the error says that
/// it is not.
Result<void> reimport(const Hands& hands, const TargetPool& pool);

}  // namespace relab::agent::zfs
