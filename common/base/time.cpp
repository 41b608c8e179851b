#include "common/base/time.h"

#include <array>
#include <ctime>
#include <fmt/format.h>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab {

Now now_of_system() {
  timespec since_boot{};
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  const auto span =
      std::chrono::seconds(since_boot.tv_sec) + std::chrono::nanoseconds(since_boot.tv_nsec);
  return {.wall = wall_clock(), .steady = Instant(std::chrono::duration_cast<Millis>(span))};
}

std::string iso8601(Instant instant) {
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(instant - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

namespace {

/// A number of exactly so many digits.
std::optional<unsigned> digits(std::string_view text, std::size_t count) {
  if (text.size() != count || text.find_first_not_of("0123456789") != std::string_view::npos)
    return {};
  const auto number = parse_number<unsigned>(text);
  return number ? std::optional(*number) : std::nullopt;
}

/// "19:22" or "19:22:41".
std::optional<Millis> time_of_day(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 2 && parts.size() != 3) return {};
  const auto hours = digits(parts[0], 2);
  const auto minutes = digits(parts[1], 2);
  const auto seconds = parts.size() == 3 ? digits(parts[2], 2) : std::optional(0U);
  if (!hours || !minutes || !seconds || *hours > 23 || *minutes > 59 || *seconds > 59) return {};
  return std::chrono::hours(*hours) + std::chrono::minutes(*minutes) +
         std::chrono::seconds(*seconds);
}

}  // namespace

std::optional<Instant> instant_from(std::string_view text) {
  if (text.ends_with('Z') && text.size() > 11) text.remove_suffix(1);
  const auto parts = split(text.substr(0, 10), '-');
  if (parts.size() != 3) return {};
  const auto year = digits(parts[0], 4);
  const auto month = digits(parts[1], 2);
  const auto day = digits(parts[2], 2);
  if (!year || !month || !day) return {};
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month), std::chrono::day(*day));
  if (!date.ok()) return {};
  const Instant midnight = std::chrono::sys_days(date);
  if (text.size() == 10) return midnight;
  if (text[10] != 'T') return {};
  const auto clock = time_of_day(text.substr(11));
  if (!clock) return {};
  return midnight + *clock;
}

std::string human(Millis span) {
  const auto total = span.count();
  if (total < 0) return "-" + human(-span);
  if (total < 1000) return fmt::format("{} ms", total);
  const auto seconds = total / 1000;
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{} d {} h", seconds / 86400, seconds / 3600 % 24);
}

std::string human_bytes(std::uint64_t bytes) {
  static constexpr std::array units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

}  // namespace relab
