#include "agent/kinds/system/show.h"

#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "common/base/text.h"

namespace relab::agent::system {

namespace {

/// Units may take their time to start and to stop; systemd has limits of its own.
constexpr auto systemctl_time_max = std::chrono::minutes(20);

}  // namespace

UnitProperties parse_show(std::string_view text) {
  UnitProperties properties;
  for (const auto line : lines(text)) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    properties.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return properties;
}

Result<UnitProperties> show_unit(Host& host, const std::string& unit,
                                 const std::vector<std::string>& names) {
  RELAB_TRY(
      const auto text,
      output_of(host, {.argv = {"systemctl", "show", "--all", "--timestamp=unix",
                                fmt::format("--property={}", fmt::join(names, ",")), "--", unit}}));
  auto properties = parse_show(text);
  for (const auto& name : names)
    if (!properties.contains(name))
      return fail(Fault::damaged,
                  fmt::format("systemctl does not tell the property {} of {}", name, unit),
                  "does systemd run on this machine?");
  return properties;
}

Result<void> systemctl(Host& host, std::vector<std::string> argv) {
  argv.insert(argv.begin(), "systemctl");
  return must_run(host, {.argv = std::move(argv), .timeout = systemctl_time_max});
}

}  // namespace relab::agent::system
