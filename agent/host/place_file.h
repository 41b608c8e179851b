#pragma once

/// Puts files and folders where they belong, with an owner and a mode, never through a symbolic
/// link.

#include <string_view>

#include "agent/host/host.h"

namespace relab::agent {

/// As `Host::put_file` says.
Result<void> place_file(const Path& path, std::string_view content, const Rights& rights);

/// As `Host::put_directory` says.
Result<void> place_directory(const Path& path, const Rights& rights);

}  // namespace relab::agent
