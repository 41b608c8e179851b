#pragma once

/// Small files that matter: read whole, replaced whole.

#include <filesystem>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace relab {

/// At most `size_max` bytes of a regular file. Fault::missing if there is none, ::invalid if it is
/// larger or no regular file.
Result<std::string> read_small_file(const std::filesystem::path& path,
                                    std::size_t size_max = std::size_t{1} << 20U);

enum class Durability {
  lasting,
  passing,  ///< a crash of the machine may leave neither the old content nor the new one
};

/// After success the whole new content is on the disk, readable by the owner only (mode 0600);
/// after a failure, or a crash unless it is a passing one, the old file stands as it was.
Result<void> replace_file(const std::filesystem::path& path, std::string_view content,
                          Durability durability = Durability::lasting);

/// Fault::refused, with this hint, if others than its owner can read or write the file. A file that
/// does not exist is as good as a private one.
Result<void> check_private(const std::filesystem::path& path, std::string hint);

/// Makes the folder (and those above) for the owner only, if it is not there yet.
Result<void> make_private_folder(const std::filesystem::path& path);

/// Free bytes for unprivileged users on the file system of this path.
Result<std::uint64_t> free_bytes(const std::filesystem::path& path);

}  // namespace relab
