#pragma once

/// SHA-256, for digests that people compare with those of other programs.

#include <filesystem>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace relab::crypto {

/// 64 lower-case hexadecimal digits, as sha256sum prints them.
std::string sha256(ByteView bytes);

/// Of what a regular file holds, of any size. Fault::missing if there is none, ::damaged if it
/// cannot be read.
Result<std::string> sha256_of_file(const std::filesystem::path& path);

}  // namespace relab::crypto
