#pragma once

/// Marks by which processes are found again that have left the session of whoever started them.

#include <string>
#include <sys/types.h>
#include <vector>

namespace relab::agent {

/// A variable for the environment of a child, with a value of its own.
std::string next_mark();
/// The processes that were started with it.
std::vector<pid_t> marked_processes(const std::string& mark);

}  // namespace relab::agent
