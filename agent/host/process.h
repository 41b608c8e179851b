#pragma once

/// One child process: started by argv without a shell, its output gathered, ended with all that it
/// started.

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent {

struct ProcessSpec {
  /// Absolute.
  std::string program;
  const Command& command;
  /// The value of PATH for the child.
  std::string path;
};

/// Runs to the end, to the timeout or to the stop request. After either of the last two the child
/// and everything it started, daemons in sessions of their own included, has got SIGTERM and, after
/// two seconds, SIGKILL.
Result<Output> run_process(const ProcessSpec& spec, const std::stop_token& stop);

}  // namespace relab::agent
