#pragma once

/// Points in time and their text form. Times on the wire and in stores are UTC, in milliseconds.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace relab {

using Millis = std::chrono::milliseconds;
using Instant = std::chrono::sys_time<Millis>;

inline Instant wall_clock() {
  return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
}

/// Both clocks at one moment.
struct Now {
  /// What people read; it can be set, and jumps.
  Instant wall;
  /// What intervals are measured with: since boot, suspended time included; it only goes on.
  Instant steady;
};
Now now_of_system();

inline std::uint64_t unix_millis(Instant instant) {
  return static_cast<std::uint64_t>(instant.time_since_epoch().count());
}

inline Instant instant_of(std::uint64_t unix_millis) {
  return Instant(Millis(static_cast<std::int64_t>(unix_millis)));
}

/// ISO 8601 in UTC to the second: "2026-10-04T19:22:41Z".
std::string iso8601(Instant instant);

/// What such a text says; also without seconds, without a time of the day, and without the "Z".
/// Nothing if it is none, or no such day or time exists.
std::optional<Instant> instant_from(std::string_view text);

/// A span in at most two units: "3 h 12 min", "45 s", "230 ms".
std::string human(Millis span);

/// A size in binary units: "1.8 TiB".
std::string human_bytes(std::uint64_t bytes);

}  // namespace relab
