#pragma once

/// Chance for tests that can be had again: the seed is printed with a failure and taken from
/// RELAB_SEED.

#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>
#include <string>

namespace relab {

class Chance {
 public:
  /// `round` is the seed, unless RELAB_SEED is another.
  explicit Chance(unsigned round) : seed_(seed_of(round)), engine_(seed_) {}

  unsigned seed() const { return seed_; }
  /// From 0 to below `end`.
  std::size_t below(std::size_t end) { return engine_() % end; }
  bool one_in(std::size_t count) { return below(count) == 0; }
  template <typename List>
  auto& any_of(List& list) {
    return list[below(list.size())];
  }

 private:
  static unsigned seed_of(unsigned round) {
    const auto* given = std::getenv("RELAB_SEED");
    return given != nullptr ? static_cast<unsigned>(std::stoul(given)) : round;
  }
  unsigned seed_;
  std::mt19937 engine_;
};

}  // namespace relab
