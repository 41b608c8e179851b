#pragma once

/// The controller's command line.

#include <string>
#include <vector>

namespace relab::controller {

/// Runs one command; the result is the process's exit code.
int run_cli(const std::vector<std::string>& arguments);

}  // namespace relab::controller
