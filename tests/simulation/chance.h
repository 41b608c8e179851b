#pragma once

/// All chance of a simulation comes from one seed, what the programs themselves draw included.

#include <cstdint>

#include "common/base/time.h"

namespace relab::sim {

/// SplitMix64 (Steele, Lea, Flood 2014): one word of state, every seed is good.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed) {}

  std::uint64_t word();
  /// From 0 to `count` - 1; `count` is at least 1.
  std::uint64_t below(std::uint64_t count) { return word() % count; }
  /// True once in `count` times.
  bool one_in(std::uint64_t count) { return below(count) == 0; }
  Millis between(Millis least, Millis most);

 private:
  std::uint64_t state_;
};

/// From now on libsodium draws from this seed, keys, nonces and identifiers included. For the whole
/// process.
void draw_everything_from(std::uint64_t seed);

}  // namespace relab::sim
