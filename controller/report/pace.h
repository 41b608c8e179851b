#pragma once

/// How fast something goes, and how long it will still take.

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/time.h"

namespace relab::controller {

class Pace {
 public:
  struct Sample {
    std::uint64_t done = 0;
    /// 0 where it is not known.
    std::uint64_t total = 0;
    /// On a monotonic clock.
    Millis at{};
  };

  /// What is less than before begins anew.
  void add(const Sample& sample);

  /// ", 1.2 GiB of 3.0 GiB (40 %), 120.0 MiB/s, 15 s left"; empty without a sample. The rate is
  /// that of the last minute or so; without one there is no time left either.
  std::string text() const;

  /// "40 %, 120.0 MiB/s, 15 s left": where there is little room.
  std::string brief() const;

  std::uint64_t done() const { return last_.done; }
  std::uint64_t total() const { return last_.total; }
  /// Bytes a second. Nothing before two seconds have passed.
  std::optional<double> rate() const;
  /// Nothing where rate or total are not known.
  std::optional<Millis> left() const;

 private:
  std::optional<Sample> first_;
  Sample last_;
  /// Where the next window begins.
  Sample middle_;
};

}  // namespace relab::controller
