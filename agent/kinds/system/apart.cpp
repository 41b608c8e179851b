// The unit is left "active" after its end (RemainAfterExit), so that an end cannot be taken for a
// beginning that is still to come: both would be "inactive".

#include "agent/kinds/system/apart.h"

#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/systemd.h"
#include "agent/kinds/system/show.h"
#include "common/base/number.h"

namespace relab::agent::system {

namespace {

constexpr auto unit = "relab-packages.service";
constexpr auto log_path = "/run/relab-packages.log";
constexpr auto look_again = Millis(1000);
/// From being asked for to the first sign of life.
constexpr auto begin_time_max = std::chrono::seconds(90);
constexpr std::size_t log_max = std::size_t{4} << 20U;

Result<UnitProperties> look(Host& host) {
  return show_unit(host, unit, {"ActiveState", "ExecMainStatus"});
}

Result<void> pause(Host& host, std::string_view what) {
  auto paused = host.pause(look_again, {.what = std::string(what)});
  if (!paused && paused.error().fault == Fault::cancelled)
    paused.error().hint = fmt::format("what was begun goes on by itself, in {}", unit);
  return paused;
}

/// Until it is neither running nor about to run, or was never begun.
Result<UnitProperties> wait_for_end(Host& host, std::chrono::seconds wait, bool begun) {
  const auto start = host.now();
  for (;;) {
    RELAB_TRY(auto now, look(host));
    const auto& state = now["ActiveState"];
    if (state == "active" || state == "failed") return now;
    const auto passed = host.now() - start;
    if (state == "inactive" && !begun) return now;
    if (state == "inactive" && passed > begin_time_max)
      return fail(Fault::damaged, fmt::format("{} was asked for, and has not begun", unit));
    if (passed > wait)
      return fail(Fault::busy,
                  fmt::format("{} has not come to its end within {}", unit, human(wait)),
                  "it goes on by itself: run this again later");
    RELAB_CHECK(pause(host, "waiting for the end of what installs packages"));
  }
}

/// So that the name is free again.
Result<void> clear_away(Host& host) {
  RELAB_TRY(auto now, look(host));
  if (now["ActiveState"] == "active") RELAB_CHECK(systemctl(host, {"stop", "--", unit}));
  if (now["ActiveState"] == "failed") RELAB_CHECK(systemctl(host, {"reset-failed", "--", unit}));
  return {};
}

Command begin_command(const Apart& apart) {
  Command command{.argv = {"systemd-run", "--quiet", "--no-block", fmt::format("--unit={}", unit),
                           "--service-type=oneshot", "--remain-after-exit",
                           fmt::format("--property=StandardOutput=truncate:{}", log_path),
                           "--property=StandardError=inherit", "--property=StandardInput=null"}};
  for (const auto& variable : apart.environment) command.argv.push_back("--setenv=" + variable);
  command.argv.emplace_back("--");
  command.argv.insert(command.argv.end(), apart.argv.begin(), apart.argv.end());
  return command;
}

Result<Output> run_as_unit(Host& host, const Apart& apart) {
  RELAB_CHECK(wait_for_end(host, apart.wait, false));
  RELAB_CHECK(clear_away(host));
  RELAB_CHECK(must_run(host, begin_command(apart)));
  RELAB_TRY(auto ended, wait_for_end(host, apart.wait, true));
  RELAB_TRY(auto log, host.read_file(log_path, log_max));
  RELAB_CHECK(clear_away(host));
  const auto status = parse_number<int>(ended["ExecMainStatus"]);
  if (!status) return fail(Fault::damaged, fmt::format("systemd does not tell how {} ended", unit));
  return Output{.status = *status, .out = std::move(log)};
}

Result<Output> run_as_child(Host& host, const Apart& apart) {
  Command command{.argv = {"env"}, .timeout = apart.wait};
  command.argv.insert(command.argv.end(), apart.environment.begin(), apart.environment.end());
  command.argv.insert(command.argv.end(), apart.argv.begin(), apart.argv.end());
  RELAB_TRY(auto output, host.run(command));
  output.out += output.err;
  return output;
}

}  // namespace

Result<Output> run_apart(Host& host, const Apart& apart) {
  return systemd_runs(host) ? run_as_unit(host, apart) : run_as_child(host, apart);
}

}  // namespace relab::agent::system
