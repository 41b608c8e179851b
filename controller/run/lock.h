#pragma once

/// One controller at a time works on a lab.

#include <filesystem>
#include <string>

#include "common/base/lock.h"

namespace relab::controller {

/// Fault::busy, naming the process, machine, command and time, if another one holds the lab.
Result<FileLock> lock_lab(const std::filesystem::path& state_dir, const std::string& command);

}  // namespace relab::controller
