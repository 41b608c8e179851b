#include "controller/report/pace.h"

#include <catch2/catch.hpp>

namespace relab::controller {

namespace {

constexpr std::uint64_t mib = 1U << 20U;

}  // namespace

TEST_CASE("pace: says nothing before there is something", "[controller][report]") {
  CHECK(Pace().text().empty());
}

TEST_CASE("pace: tells bytes at once, and the rate once it means something",
          "[controller][report]") {
  Pace pace;

  pace.add({.done = 10 * mib, .total = 1000 * mib, .at = Millis(0)});
  CHECK(pace.text() == ", 10.0 MiB of 1000.0 MiB (1 %)");

  pace.add({.done = 110 * mib, .total = 1000 * mib, .at = Millis(10000)});
  CHECK(pace.text() == ", 110.0 MiB of 1000.0 MiB (11 %), 10.0 MiB/s, 1 min 29 s left");
}

TEST_CASE("pace: forgets how fast it went long ago", "[controller][report]") {
  Pace pace;

  for (unsigned second = 0; second <= 100; ++second)
    pace.add({.done = second * 100 * mib, .total = 0, .at = Millis(second * 1000)});
  for (unsigned second = 101; second <= 200; ++second)
    pace.add({.done = 10000 * mib + (second - 100) * mib, .total = 0, .at = Millis(second * 1000)});

  CHECK(pace.rate().value() == Approx(1.0 * mib));
  CHECK_FALSE(pace.left());
}

TEST_CASE("pace: more than was expected is no negative time", "[controller][report]") {
  Pace pace;
  pace.add({.done = 0, .total = 100, .at = Millis(0)});

  pace.add({.done = 200, .total = 100, .at = Millis(5000)});

  CHECK_FALSE(pace.left());
  CHECK(pace.text() == ", 200 B of 100 B (100 %), 40 B/s");
}

TEST_CASE("pace: what begins anew is measured anew", "[controller][report]") {
  Pace pace;
  pace.add({.done = 500, .total = 1000, .at = Millis(0)});

  pace.add({.done = 0, .total = 1000, .at = Millis(5000)});

  CHECK_FALSE(pace.rate());
}

}  // namespace relab::controller
