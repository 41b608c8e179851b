#pragma once

/// The agent's command line.

#include <string>
#include <vector>

namespace relab::agent {

/// Runs one command and returns the exit code: 0 done, 1 failed, 2 usage.
int run_cli(const std::vector<std::string>& arguments);

}  // namespace relab::agent
