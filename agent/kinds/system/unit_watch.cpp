#include "agent/kinds/system/unit_watch.h"

#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/redact.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::system {

namespace {

constexpr auto glance = Millis(1000);
constexpr auto log_lines = "15";
constexpr std::size_t line_max = 300;

/// What becomes active in a moment, as after a start that returned early.
bool is_coming(const UnitProperties& unit) {
  const auto& state = unit.at("ActiveState");
  return state == "active" || state == "activating" || state == "reloading";
}

bool is_over(const UnitProperties& unit) {
  const auto& state = unit.at("ActiveState");
  return state == "inactive" || state == "failed";
}

/// systemd may forget the last run of one that is stopped, but not remember another one.
bool began_again(const UnitProperties& before, const UnitProperties& after) {
  const auto& run = after.at("InvocationID");
  return !run.empty() && run != before.at("InvocationID");
}

std::string happened(const UnitProperties& before, const UnitProperties& after) {
  if (after.at("ActiveState") != "active") return fmt::format("it is {}", words_of(after));
  if (before.at("InvocationID") != after.at("InvocationID"))
    return "it ended, and was started again";
  if (before.at("NRestarts") != after.at("NRestarts"))
    return fmt::format("it was restarted: {} times before, {} times after", before.at("NRestarts"),
                       after.at("NRestarts"));
  if (before.at("ActiveState") != "active") return "it became active only meanwhile";
  return {};
}

}  // namespace

Result<UnitProperties> look_at_unit(Host& host, const std::string& unit) {
  RELAB_TRY(auto properties,
            show_unit(host, unit,
                      {"LoadState", "UnitFileState", "ActiveState", "SubState", "NeedDaemonReload",
                       "InvocationID", "InactiveExitTimestamp"}));
  // Only services have these.
  for (const auto* name : {"NRestarts", "Result", "ExecMainStatus"}) properties[name];
  if (!unit.ends_with(".service")) return properties;
  RELAB_TRY(auto more, show_unit(host, unit, {"NRestarts", "Result", "ExecMainStatus"}));
  for (auto& [name, value] : more) properties[name] = std::move(value);
  return properties;
}

Result<Watched> watch_unit(Host& host, const std::string& unit, std::chrono::seconds settle) {
  RELAB_TRY(auto first, look_at_unit(host, unit));
  Watched watched{.now = first};
  if (!is_coming(first)) return watched;
  // One that is still becoming active has its time from then on, once. Seconds are counted, since
  // the clock of the machine may be set meanwhile.
  bool counted = first.at("ActiveState") == "active";
  for (auto left = settle; left > std::chrono::seconds(0); --left) {
    RELAB_CHECK(host.pause(glance, {.what = fmt::format("watching {}", unit)}));
    RELAB_TRY(watched.now, look_at_unit(host, unit));
    if (!is_coming(watched.now)) break;
    if (counted || watched.now.at("ActiveState") != "active") continue;
    counted = true;
    first = watched.now;
    left = settle + std::chrono::seconds(1);
  }
  watched.unsteady = happened(first, watched.now);
  watched.steady = watched.unsteady.empty();
  return watched;
}

Result<Watched> watch_stopped_unit(Host& host, const std::string& unit,
                                   std::chrono::seconds settle) {
  RELAB_TRY(const auto first, look_at_unit(host, unit));
  Watched watched{.now = first};
  if (!is_over(first) || first.at("LoadState") == "not-found") return watched;
  for (auto left = settle; left > std::chrono::seconds(0); --left) {
    RELAB_CHECK(host.pause(glance, {.what = fmt::format("watching {}", unit)}));
    RELAB_TRY(watched.now, look_at_unit(host, unit));
    if (!is_over(watched.now) || began_again(first, watched.now)) break;
  }
  if (!is_over(watched.now))
    watched.unsteady = fmt::format("it was started again: it is {}", words_of(watched.now));
  else if (began_again(first, watched.now))
    watched.unsteady = "it was started again, and ended";
  watched.steady = watched.unsteady.empty();
  return watched;
}

Result<std::vector<std::string>> active_triggers(Host& host, const std::string& unit) {
  std::vector<std::string> active;
  RELAB_TRY(const auto told, show_unit(host, unit, {"TriggeredBy"}));
  for (const auto name : words(told.at("TriggeredBy"))) {
    const std::string trigger(name);
    RELAB_TRY(const auto state, show_unit(host, trigger, {"ActiveState"}));
    if (!is_over(state)) active.push_back(trigger);
  }
  return active;
}

std::vector<std::string> last_lines(Host& host, const std::string& unit) {
  std::vector<std::string> found;
  const auto output = host.run({.argv = {"journalctl", "--no-pager", "--quiet", "--output=cat",
                                         fmt::format("--lines={}", log_lines), "--unit=" + unit}});
  if (!output || output->status != 0) {
    found.push_back(fmt::format("(its log cannot be read: {})",
                                output ? first_words(*output) : output.error().sentence()));
    return found;
  }
  for (const auto line : lines(output->out))
    found.push_back(redact(clean_text(line.substr(0, line_max))));
  if (found.empty()) found.emplace_back("(its log is empty)");
  return found;
}

std::string words_of(const UnitProperties& unit) {
  auto words = unit.at("ActiveState");
  if (unit.at("SubState") != words) words += fmt::format(", {}", unit.at("SubState"));
  const auto& result = unit.at("Result");
  if (!result.empty() && result != "success")
    words += fmt::format(" ({}, status {})", result, unit.at("ExecMainStatus"));
  return words;
}

std::int64_t parse_unix_time(std::string_view text) {
  if (!text.starts_with('@')) return 0;
  const auto seconds = parse_number<std::int64_t>(text.substr(1));
  return seconds ? *seconds : 0;
}

}  // namespace relab::agent::system
