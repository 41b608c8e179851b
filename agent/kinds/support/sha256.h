#pragma once

/// SHA-256, for digests that people compare with those of other programs.

#include <string>

#include "common/base/bytes.h"

namespace relab::agent {

/// 64 lower-case hexadecimal digits, as sha256sum prints them.
std::string sha256(ByteView bytes);

}  // namespace relab::agent
