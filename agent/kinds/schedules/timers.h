#pragma once

/// systemd's timers, out of systemctl's JSON.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::schedules {

struct Timer {
  std::string name = {};
  std::string activates = {};
  /// Unix milliseconds; 0 for never.
  std::uint64_t next = 0;
  std::uint64_t last = 0;

  bool operator==(const Timer&) const = default;
};

/// Reads what `systemctl list-timers --all --output=json` prints; a machine may have no timers.
Result<std::vector<Timer>> parse_timers(std::string_view json);

}  // namespace relab::agent::schedules
