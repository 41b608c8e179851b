#pragma once

/// Lets ZFS read every block of a pool, from the first to the last.

#include "agent/kinds/kind.h"

namespace relab::agent::zfs {

/// When it ended, in milliseconds since 1970. What it found is for a look at the pool's health; one
/// that was going on already is ended first, for it vouches for its own rest only. Fault::damaged
/// if it did not come to its end; it is ended then, as after a cancellation.
Result<std::uint64_t> fresh_scrub(const Hands& hands, const std::string& pool);

}  // namespace relab::agent::zfs
