#include "agent/kinds/schedules/timers.h"

#include <limits>

#include "agent/kinds/support/json.h"

namespace relab::agent::schedules {

namespace {

/// systemd says "never" as null, 0 or the greatest number, by version.
std::uint64_t millis_of(const Json& micros) {
  const auto number = number_of(micros).value_or(0);
  return number == std::numeric_limits<std::uint64_t>::max() ? 0 : number / 1000;
}

}  // namespace

Result<std::vector<Timer>> parse_timers(std::string_view text) {
  RELAB_TRY(const auto json, parse_json(text, "systemctl list-timers"));
  if (!json.is_array()) return fail(Fault::damaged, "systemctl list-timers printed no list");
  std::vector<Timer> timers;
  for (const auto& entry : json) {
    timers.push_back({.name = text_of(entry, "unit"),
                      .activates = text_of(entry, "activates"),
                      .next = millis_of(member(entry, "next")),
                      .last = millis_of(member(entry, "last"))});
    if (timers.back().name.empty())
      return fail(Fault::damaged, "systemctl list-timers printed an entry without 'unit'");
  }
  return timers;
}

}  // namespace relab::agent::schedules
