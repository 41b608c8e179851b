#pragma once

/// The agent's command line.

#include <string>
#include <vector>

namespace relab::agent {

/// Runs one command and returns the exit code: 0 done, 1 failed, 2 usage; `--help` has those of
/// single commands.
int run_cli(const std::vector<std::string>& arguments);
/// The code with which the process ends instead of this one, if it was asked for one that systemd
/// understands.
int as_asked(const std::vector<std::string>& arguments, int code);

}  // namespace relab::agent
