#include "common/base/bytes.h"

#include "common/base/number.h"

namespace relab {

std::string hex(ByteView bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

Result<Bytes> parse_hex(std::string_view text) {
  if (text.size() % 2 != 0) return fail(Fault::invalid, "an odd number of hexadecimal digits");
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t at = 0; at < text.size(); at += 2) {
    RELAB_TRY(const auto byte, parse_number<std::uint8_t>(text.substr(at, 2), 16));
    bytes.push_back(byte);
  }
  return bytes;
}

}  // namespace relab
