#include "controller/lab/units.h"

#include <array>
#include <fmt/format.h>
#include <limits>
#include <span>

#include "common/base/number.h"
#include "common/base/text.h"
#include "common/base/time.h"

namespace relab::lab {

namespace {

struct Suffix {
  std::string_view name;
  std::int64_t factor;
};

constexpr std::array durations = {
    Suffix{"s", 1},
    Suffix{"m", 60},
    Suffix{"h", 3600},
    Suffix{"d", 86400},
};

constexpr std::array sizes = {
    Suffix{"B", 1},
    Suffix{"kB", 1000},
    Suffix{"KB", 1000},
    Suffix{"MB", 1000000},
    Suffix{"GB", 1000000000},
    Suffix{"TB", 1000000000000},
    Suffix{"KiB", std::int64_t{1} << 10U},
    Suffix{"MiB", std::int64_t{1} << 20U},
    Suffix{"GiB", std::int64_t{1} << 30U},
    Suffix{"TiB", std::int64_t{1} << 40U},
};

std::span<const Suffix> suffixes(std::string_view unit) {
  if (unit == "seconds") return durations;
  if (unit == "bytes") return sizes;
  return {};
}

}  // namespace

std::optional<std::int64_t> parse_quantity(std::string_view text, std::string_view unit) {
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_number<std::int64_t>(text.substr(0, digits));
  if (!number) return std::nullopt;
  auto name = text.substr(digits);
  if (name.starts_with(' ')) name.remove_prefix(1);
  for (const auto& suffix : suffixes(unit)) {
    if (suffix.name != name) continue;
    if (*number > std::numeric_limits<std::int64_t>::max() / suffix.factor) return std::nullopt;
    return *number * suffix.factor;
  }
  return std::nullopt;
}

std::string quantity_pattern(std::string_view unit) {
  std::string names;
  for (const auto& suffix : suffixes(unit)) {
    if (!names.empty()) names += '|';
    names += suffix.name;
  }
  return names.empty() ? names : fmt::format("^[0-9]+ ?({})$", names);
}

std::string wanted(std::string_view unit) {
  if (unit == "seconds") return R"(a duration such as "90s", "15m", "24h" or "7d")";
  if (unit == "bytes") return R"(a size such as "500GB" or "4GiB")";
  return "a whole number";
}

std::string in_unit(std::int64_t value, std::string_view unit) {
  if (unit == "bytes" && value >= 0) return human_bytes(static_cast<std::uint64_t>(value));
  if (unit == "seconds" && value >= 0) return human(std::chrono::seconds(value));
  return fmt::format("{}", value);
}

}  // namespace relab::lab
