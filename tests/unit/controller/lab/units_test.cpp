#include "controller/lab/units.h"

#include <regex>

#include "tests/support/must.h"

namespace relab::lab {

TEST_CASE("quantities: numbers with a unit are read", "[controller][lab]") {
  const auto [text, unit, value] = GENERATE(table<std::string, std::string, std::int64_t>({
      {"90s", "seconds", 90},
      {"15m", "seconds", 900},
      {"24h", "seconds", 86400},
      {"7d", "seconds", 604800},
      {"0s", "seconds", 0},
      {"500GB", "bytes", 500'000'000'000},
      {"500 GB", "bytes", 500'000'000'000},
      {"2TB", "bytes", 2'000'000'000'000},
      {"4GiB", "bytes", 4294967296},
      {"8388607TiB", "bytes", 8388607LL << 40U},
  }));

  CHECK(parse_quantity(text, unit) == value);
  CHECK(std::regex_match(text, std::regex(quantity_pattern(unit))));
}

TEST_CASE("quantities: anything else is none", "[controller][lab]") {
  const auto [text, unit] = GENERATE(table<std::string, std::string>({
      {"", "seconds"},
      {"s", "seconds"},
      {"90", "seconds"},
      {"-5s", "seconds"},
      {"1.5h", "seconds"},
      {"5  m", "seconds"},
      {"5m ", "seconds"},
      {"5M", "seconds"},
      {"1h30m", "seconds"},
      {"4GiB", "seconds"},
      {"4gib", "bytes"},
      {"8388608TiB", "bytes"},
      {"99999999999999999999B", "bytes"},
      {"4GiB", ""},
      {"4", "cores"},
  }));

  CHECK_FALSE(parse_quantity(text, unit));
}

}  // namespace relab::lab
