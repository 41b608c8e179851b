#pragma once

/// Programs that must come to their end whatever becomes of the agent: what installs packages may
/// restart it, and is not to be left half-way.

#include <chrono>
#include <string>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent::system {

struct Apart {
  std::vector<std::string> argv;
  /// "NAME=value"
  std::vector<std::string> environment = {};
  /// How long its end is waited for.
  std::chrono::seconds wait;
};

/// Where systemd runs, in a unit of its own, relab-packages.service; one that an earlier agent has
/// left running is waited for first. Elsewhere as a child of the agent. `out` has both of its
/// outputs. Fault::busy if it has not come to its end in time: then it goes on by itself.
/// Fault::cancelled likewise, once the task is stopped.
Result<Output> run_apart(Host& host, const Apart& apart);

}  // namespace relab::agent::system
