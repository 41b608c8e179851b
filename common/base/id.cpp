#include "common/base/id.h"

#include <sodium.h>

namespace relab {

IdBytes make_uuid7(Instant now) {
  IdBytes bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  const auto millis = unix_millis(now);
  for (unsigned i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(millis >> (8 * (5 - i)));
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0FU) | 0x70U);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3FU) | 0x80U);
  return bytes;
}

std::string uuid_text(const IdBytes& bytes) {
  auto text = hex(bytes);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, 1, '-');
  return text;
}

Result<IdBytes> parse_uuid(std::string_view text) {
  std::string digits;
  for (const char c : text)
    if (c != '-') digits += c;
  RELAB_TRY(const auto bytes, parse_hex(digits));
  RELAB_TRY(const auto id, Id<void>::from(bytes));
  return id.bytes;
}

}  // namespace relab
