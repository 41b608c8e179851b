#pragma once

/// What a `zfs send` has to send.

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "agent/host/sim/storage/pools.h"

namespace relab::agent::sim {

struct Pools::Sending {
  struct Part {
    const Dataset* dataset;
    const Snapshot* to;
    /// Null: all of it.
    const Snapshot* from = nullptr;
    std::uint64_t bytes = 0;
  };

  /// The snapshot that was asked for.
  std::string name;
  bool raw = false;
  bool package = false;
  bool resumes = false;
  std::vector<Part> parts = {};

  std::uint64_t bytes() const {
    return std::accumulate(parts.begin(), parts.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const Part& part) { return sum + part.bytes; });
  }
};

}  // namespace relab::agent::sim
