#pragma once

/// Many worlds, on all processors.

#include <cstdint>
#include <functional>
#include <optional>

#include "tests/simulation/world.h"

namespace relab::sim {

struct CrewEnd {
  Counts counts;
  /// Worlds that hold.
  std::uint64_t held = 0;
  /// The lowest seed at which a process of the crew found a world that does not hold, or died.
  std::optional<std::uint64_t> failed;
};

/// Runs the seeds from `first` on in `jobs` processes of its own, each with a world at a time: what
/// draws at random does so for a whole process. All stop soon after one has failed.
CrewEnd run_crew(std::uint64_t first, std::uint64_t seeds, unsigned jobs);

/// Runs `work` in `jobs` processes, each with its own number from 0 on; the sum of what it returns
/// there, 0 to 100 each. A process that dies counts as 100.
unsigned sum_of_crew(unsigned jobs, const std::function<unsigned(unsigned job)>& work);

void add(Counts& sum, const Counts& counts);

}  // namespace relab::sim
