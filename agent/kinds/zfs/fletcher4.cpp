#include "agent/kinds/zfs/fletcher4.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace relab::agent::zfs {

static_assert(std::endian::native == std::endian::little, "words are copied as they are");

void Fletcher4::add(std::span<const std::byte> bytes) {
  if (begun_ > 0) {
    const auto rest = bytes.first(std::min(bytes.size(), word_.size() - begun_));
    std::ranges::copy(rest, word_.begin() + static_cast<std::ptrdiff_t>(begun_));
    begun_ += rest.size();
    bytes = bytes.subspan(rest.size());
    if (begun_ < word_.size()) return;
    add_words(word_.data(), 1);
  }
  const auto count = bytes.size() / word_.size();
  add_words(bytes.data(), count);
  const auto rest = bytes.subspan(count * word_.size());
  std::ranges::copy(rest, word_.begin());
  begun_ = rest.size();
}

void Fletcher4::add_words(const std::byte* data, std::size_t count) {
  // In locals, that they stay in registers: `data` could point into this object.
  auto [a, b, c, d] = sum_;
  for (const auto* end = data + count * sizeof(std::uint32_t); data != end;
       data += sizeof(std::uint32_t)) {
    std::uint32_t word = 0;
    std::memcpy(&word, data, sizeof(word));
    a += word;
    b += a;
    c += b;
    d += c;
  }
  sum_ = {a, b, c, d};
}

}  // namespace relab::agent::zfs
