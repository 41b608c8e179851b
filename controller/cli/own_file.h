#pragma once

/// Files that a person has relab write.

#include <filesystem>
#include <string_view>

#include "common/base/result.h"

namespace relab::controller::cli {

/// That a file of this name can be written, in place of one that begins like this, or of none.
/// Fault::invalid for anything else that is there, ::missing without its folder, ::refused where
/// that folder is closed.
Result<void> check_replaceable(const std::filesystem::path& path, std::string_view begins);

}  // namespace relab::controller::cli
