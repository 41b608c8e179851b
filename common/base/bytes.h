#pragma once

/// Bytes that are owned, bytes that are looked at, and their text forms.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Lower-case hexadecimal.
std::string hex(ByteView bytes);

/// The bytes of an even number of hexadecimal digits of either case.
Result<Bytes> parse_hex(std::string_view text);

}  // namespace relab
