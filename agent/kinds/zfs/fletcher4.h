#pragma once

/// Fletcher-4, the checksum within a ZFS send stream: little-endian words of 32 bits are summed up,
/// their sums are, and so on twice more, in 64 bits that wrap around.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace relab::agent::zfs {

using Checksum = std::array<std::uint64_t, 4>;

class Fletcher4 {
 public:
  /// In pieces of any size and alignment: a word may come in several.
  void add(std::span<const std::byte> bytes);
  /// Of the words that are whole.
  const Checksum& sum() const { return sum_; }

 private:
  void add_words(const std::byte* data, std::size_t count);

  Checksum sum_{};
  std::array<std::byte, sizeof(std::uint32_t)> word_{};
  /// Bytes of `word_` that have come; never all of them.
  std::size_t begun_ = 0;
};

}  // namespace relab::agent::zfs
