#include "agent/kinds/archive/standstill.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "common/base/text.h"

namespace relab::agent::archive {

Result<std::vector<std::string>> Standstill::running(Host& host) const {
  std::vector<std::string> found;
  for (const auto& unit : units_) {
    RELAB_TRY(
        const auto output,
        host.run({.argv = source_.command(
                      {"systemctl", "show", "--property=LoadState,ActiveState", "--", unit})}));
    if (output.status != 0 || output.truncated)
      return fail(Fault::damaged, fmt::format("systemctl show ended with {}: {}", output.status,
                                              first_words(output)));
    const auto said = lines(output.out);
    const auto has = [&](std::string_view line) {
      return std::ranges::find(said, line) != said.end();
    };
    if (!has("LoadState=loaded"))
      return fail(Fault::missing, fmt::format("there is no unit '{}' in {}", unit, source_.title()),
                  "name the units as `systemctl list-units` does");
    if (!has("ActiveState=inactive") && !has("ActiveState=failed")) found.push_back(unit);
  }
  return found;
}

Result<void> Standstill::begin() {
  RELAB_TRY(stopped_, running(hands_.host));
  if (stopped_.empty()) return {};
  // First of all the way back: it holds even if this agent dies.
  RELAB_CHECK(must(hands_.host, with_units({"systemd-run", "--collect", "--unit=" + timer(),
                                            fmt::format("--on-active={}", start_again_after),
                                            "systemctl", "start"})));
  return must(hands_.host, with_units({"systemctl", "stop"}));
}

Result<void> Standstill::end() {
  if (stopped_.empty()) return {};
  RELAB_CHECK(must(hands_.rescue, with_units({"systemctl", "start"})));
  RELAB_TRY(const auto now, running(hands_.rescue));
  for (const auto& unit : stopped_)
    if (std::ranges::find(now, unit) == now.end())
      return fail(
          Fault::damaged,
          fmt::format("'{}' was started again in {}, and does not run", unit, source_.title()),
          "look at its log, and start it by hand");
  return must(hands_.rescue, {"systemctl", "stop", timer() + ".timer"});
}

std::vector<std::string> Standstill::with_units(std::vector<std::string> argv) const {
  argv.insert(argv.end(), stopped_.begin(), stopped_.end());
  return argv;
}

Result<void> Standstill::must(Host& host, std::vector<std::string> argv) const {
  const auto what = fmt::format("{} {}", argv[0], argv[1]);
  RELAB_TRY(const auto output, host.run({.argv = source_.command(std::move(argv))}));
  if (output.status == 0 && !output.truncated) return {};
  return fail(Fault::damaged,
              fmt::format("{} ended with {}: {}", what, output.status, first_words(output)));
}

}  // namespace relab::agent::archive
