#pragma once

/// What was written to a pool after the snapshot of which there is a copy: it is in no copy.

#include <string>

#include "controller/gates/gate.h"

namespace relab::controller {

struct TakenSnapshot {
  std::string pool;
  /// Behind the '@'.
  std::string name;
  /// By the clock of its machine.
  Instant at;
};

/// The first task of which lab.toml says, or said when it was run, that it writes to the pool, or
/// which wrote an archive to it, and that ended after the snapshot, in words; empty: there is none.
/// By the clock of the machine, or by the ledger: clocks are set back.
std::string later_write(const Evidences& evidences, const TakenSnapshot& snapshot);

}  // namespace relab::controller
