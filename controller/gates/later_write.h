#pragma once

/// What was written to a pool after the snapshot of which there is a copy: it is in no copy.

#include <string>

#include "controller/gates/gate.h"

namespace relab::controller {

/// The first task of which lab.toml says that it writes to the pool, or which wrote an archive to
/// it, and that ended after the snapshot, in words; empty: there is none.
std::string later_write(const Evidences& evidences, std::string_view pool, Instant snapshot);

}  // namespace relab::controller
