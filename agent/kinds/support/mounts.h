#pragma once

/// Where file systems are mounted on this machine.

#include <string_view>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent {

/// The mount points of /proc/self/mountinfo, in its order. Fault::damaged for a line of another
/// form, and for none at all: something is mounted at "/" on every machine.
Result<std::vector<Path>> parse_mountinfo(std::string_view text);

/// The mount points of this machine. An error if they cannot be read.
Result<std::vector<Path>> mount_points(Host& host);

/// Whether a path is another one, or lies below it; both absolute and without dots.
bool is_at_or_below(std::string_view path, std::string_view above);

}  // namespace relab::agent
