#pragma once

/// Predicates over what must outlive an installation: the pools whose disks all have the role
/// `data`. One that looks at no pool is not met.

#include "controller/gates/gate.h"

namespace relab::controller {

/// `backup.verified`: of every data pool there is a copy of everything on it that was read back,
/// whole and unchanged, on a disk that no installation touches and that is not one of the pool's
/// own; and the pool is the one that the audit saw. A copy in a file has the very manifest that was
/// written with it, one in another pool the snapshots that were written, in that pool, which was
/// scrubbed. Of both kinds of verification the last one counts.
Verdict backup_verified(const Evidences& evidences, std::chrono::seconds max_age);

/// `backup.drilled`: that copy was received if it is a file, opened with the key that is stored
/// now, and compared with every dataset that has files.
Verdict backup_drilled(const Evidences& evidences, std::chrono::seconds max_age);

/// `pools.intact`: ZFS tells of nothing that speaks against a data pool.
Verdict pools_intact(const Evidences& evidences, std::chrono::seconds max_age);

}  // namespace relab::controller
