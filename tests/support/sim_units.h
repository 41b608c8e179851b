#pragma once

/// systemd of a simulated machine: units that start, stop, and die a while after they have started.

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/host/sim/sim_host.h"

namespace relab::agent {

class SimUnits {
 public:
  struct Unit {
    std::string load = "loaded";
    std::string file = "disabled";
    std::string active = "inactive";
    std::string sub = "dead";
    bool reload = false;
    /// How long it lives after a start; for ever without.
    std::optional<Millis> lives = {};
    /// Whether systemd starts it again then.
    bool comes_back = false;
    int restarts = 0;
    int invocation = 1;
    std::string result = "success";
    int status = 0;
    Instant since = {};
    /// The units that start it, as systemd lists them.
    std::string triggered_by = {};
    /// It is started so long after it was stopped, whoever does that.
    std::optional<Millis> restarted_after = {};
    Instant stopped = {};
  };

  std::map<std::string, Unit> units;
  std::string log = "starting\nit cannot read its password=hunter2 file\n";
  /// Every systemctl that changed something.
  std::vector<std::string> done;

  void install(SimHost& host) {
    host.directory("/run/systemd/system");
    host.program("systemctl", [this, &host](const Command& command) {
      return Result<Output>(systemctl(host, command.argv));
    });
    host.program("systemd-run",
                 [this, &host](const Command& command) { return run(host, command.argv); });
    host.program("journalctl",
                 [this](const Command&) { return Result<Output>(Output{.out = log}); });
  }

 private:
  using Argv = std::vector<std::string>;

  static void pass_time(Unit& unit, Instant now) {
    if (unit.active == "inactive" && unit.restarted_after && unit.stopped != Instant() &&
        now - unit.stopped >= *unit.restarted_after) {
      unit.active = "active";
      unit.sub = "running";
      unit.since = now;
      ++unit.invocation;
    }
    if (unit.active != "active" || !unit.lives || now - unit.since < *unit.lives) return;
    if (unit.comes_back) {
      ++unit.restarts;
      ++unit.invocation;
      unit.since = now;
      return;
    }
    unit.active = unit.sub = "failed";
    unit.result = "exit-code";
    unit.status = 1;
  }

  std::string value(const Unit& unit, const std::string& name) const {
    if (name == "LoadState") return unit.load;
    if (name == "UnitFileState") return unit.file;
    if (name == "ActiveState") return unit.active;
    if (name == "SubState") return unit.sub;
    if (name == "NeedDaemonReload") return unit.reload ? "yes" : "no";
    if (name == "NRestarts") return std::to_string(unit.restarts);
    if (name == "InvocationID") return std::to_string(unit.invocation);
    if (name == "Result") return unit.result;
    if (name == "TriggeredBy") return unit.triggered_by;
    if (name == "ExecMainStatus") return std::to_string(unit.status);
    const auto second = std::chrono::floor<std::chrono::seconds>(unit.since.time_since_epoch());
    return unit.since == Instant() ? "" : fmt::format("@{}", second.count());
  }

  Output show(SimHost& host, const Argv& argv) {
    auto unit = units.find(argv.back());
    static const Unit unknown{.load = "not-found", .file = "", .since = {}};
    if (unit != units.end()) pass_time(unit->second, host.now());
    Output output;
    const std::string option = "--property=";
    for (const auto& word : argv) {
      if (!word.starts_with(option)) continue;
      std::string names = word.substr(option.size()) + ",";
      for (auto comma = names.find(','); comma != std::string::npos; comma = names.find(',')) {
        const auto name = names.substr(0, comma);
        output.out += name + "=" + value(unit == units.end() ? unknown : unit->second, name) + "\n";
        names.erase(0, comma + 1);
      }
    }
    return output;
  }

  Output systemctl(SimHost& host, const Argv& argv) {
    const auto& verb = argv[1];
    if (verb == "show") return show(host, argv);
    done.push_back(fmt::format("{} {}", verb, argv.back()));
    if (verb == "daemon-reload") {
      for (auto& [name, unit] : units) unit.reload = false;
      return {};
    }
    auto found = units.find(argv.back());
    if (found == units.end()) return {.status = 5, .err = "Unit " + argv.back() + " not found.\n"};
    auto& unit = found->second;
    pass_time(unit, host.now());
    if (verb == "enable") unit.file = "enabled";
    if (verb == "disable" || verb == "unmask") unit.file = "disabled";
    if (verb == "mask") unit.file = "masked";
    if (verb == "reset-failed" && unit.active == "failed") unit.active = unit.sub = "inactive";
    if (verb == "stop") {
      unit.active = unit.sub = "inactive";
      unit.stopped = host.now();
    }
    if (verb == "stop" && argv.back() == "relab-packages.service") units.erase(found);
    if (verb != "start" && verb != "restart") return {};
    if (unit.file == "masked") return {.status = 1, .err = "Unit is masked.\n"};
    unit.active = "active";
    unit.sub = "running";
    unit.since = host.now();
    ++unit.invocation;
    return {};
  }

  Result<Output> run(SimHost& host, const Argv& argv) {
    const auto own = std::find(argv.begin(), argv.end(), "--");
    const auto ended = host.run({.argv = {own + 1, argv.end()}});
    if (!ended) return ended;
    host.file("/run/relab-packages.log", ended->out + ended->err);
    units["relab-packages.service"] = {.active = ended->status == 0 ? "active" : "failed",
                                       .status = ended->status};
    return Output{};
  }
};

}  // namespace relab::agent
