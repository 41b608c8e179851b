#pragma once

/// What the parts of a simulated machine have in common.

#include <fmt/format.h>
#include <string>
#include <vector>

#include "agent/host/sim/sim_host.h"
#include "schema/world.capnp.h"

namespace relab::agent::sim {

using World = schema::World::Reader;

/// Programs and files of one domain, with its state. It borrows the host, and lives as long.
class Part {
 public:
  Part() = default;
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  virtual ~Part() = default;
};

}  // namespace relab::agent::sim
