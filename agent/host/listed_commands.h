#pragma once

/// Commands that may be run by name only: what an order says of them is which.

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace relab::agent {

/// With their arguments, by the names under which the roles of the agent list them.
using ListedCommands = std::map<std::string, std::vector<std::string>, std::less<>>;

}  // namespace relab::agent
