#include "agent/kinds/zfs/fletcher4.h"

#include <catch2/catch.hpp>
#include <string>

namespace relab::agent::zfs {

namespace {

std::span<const std::byte> view(const std::string& text) { return std::as_bytes(std::span(text)); }

Checksum sum_of(const std::string& text) {
  Fletcher4 fletcher;
  fletcher.add(view(text));
  return fletcher.sum();
}

}  // namespace

TEST_CASE("fletcher 4: sums of sums of little-endian words", "[agent][zfs]") {
  using namespace std::string_literals;

  CHECK(sum_of("") == Checksum{});
  CHECK(sum_of("\1\0\0\0"s) == Checksum{1, 1, 1, 1});
  CHECK(sum_of("\0\0\0\1"s) == Checksum{1U << 24U, 1U << 24U, 1U << 24U, 1U << 24U});
  CHECK(sum_of("\1\0\0\0\2\0\0\0\3\0\0\0"s) == Checksum{6, 10, 15, 21});
  CHECK(sum_of("\1\0\0\0\0\0\0\0\0\0\0\0"s) == Checksum{1, 3, 6, 10});
}

TEST_CASE("fletcher 4: sums wrap around at 64 bits", "[agent][zfs]") {
  // n words of w: nw, n(n+1)/2 w, n(n+1)(n+2)/6 w, n(n+1)(n+2)(n+3)/24 w.
  const std::uint64_t n = 10000;
  const std::uint64_t w = 0xffffffff;

  const auto sum = sum_of(std::string(4 * n, '\xff'));

  CHECK(sum == Checksum{n * w, n * (n + 1) / 2 * w, n * (n + 1) * (n + 2) / 6 * w,
                        n * (n + 1) * (n + 2) * (n + 3) / 24 * w});
}

TEST_CASE("fletcher 4: pieces of any size and alignment give the same", "[agent][zfs]") {
  std::string text;
  for (int i = 0; i < 64; ++i) text += static_cast<char>(i * 7 + 3);
  const auto size = GENERATE(range(1, 13));

  Fletcher4 fletcher;
  for (std::size_t at = 0; at < text.size(); at += static_cast<std::size_t>(size))
    fletcher.add(view(text.substr(at, static_cast<std::size_t>(size))));

  CHECK(fletcher.sum() == sum_of(text));
  CHECK(fletcher.sum() == sum_of(text + "xyz"));
}

}  // namespace relab::agent::zfs
