// What systemctl tells. Its forms are those of systemd 252 and 257.

#include <algorithm>
#include <array>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "agent/host/sim/debian/units.h"
#include "agent/kinds/support/json.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

constexpr int not_running = 3;

/// Options that take a value, each with its short form.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> with_value = {
    {{"--property", "-p"},
     {"--output", "-o"},
     {"--type", "-t"},
     {"--state", ""},
     {"--timestamp", ""},
     {"--lines", "-n"}}};
constexpr std::array<std::string_view, 13> without_value = {
    "--all", "-a",          "--no-pager", "--plain", "--quiet", "-q",     "--no-legend",
    "--now", "--no-reload", "--failed",   "--wait",  "--full",  "--force"};

std::string time_of(Instant instant, bool unix_time) {
  if (instant == Instant()) return {};
  const auto second = std::chrono::floor<std::chrono::seconds>(instant);
  if (unix_time) return fmt::format("@{}", second.time_since_epoch().count());
  return fmt::format("{:%a %Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(second.time_since_epoch().count()));
}

std::uint64_t micros(const std::optional<Instant>& instant) {
  return instant ? unix_millis(*instant) * 1000 : 0;
}

bool fits(std::string_view wanted, std::string_view value) {
  if (wanted.empty()) return true;
  const auto all = split(wanted, ',');
  return std::ranges::find(all, value) != all.end();
}

}  // namespace

std::optional<Units::Options> Units::read_options(const Words& argv) {
  Options options;
  bool only_names = false;
  for (std::size_t i = 1; i < argv.size(); ++i) {
    const auto& word = argv[i];
    if (only_names || !word.starts_with('-')) {
      (options.verb.empty() ? options.verb : options.names.emplace_back()) = word;
    } else if (word == "--") {
      only_names = true;
    } else if (std::ranges::find(without_value, word) != without_value.end()) {
      options.values[word] = {};
    } else {
      const auto equals = word.find('=');
      const auto known = std::ranges::find_if(with_value, [&](const auto& option) {
        return word.substr(0, equals) == option.first || word == option.second;
      });
      if (known == with_value.end() || (equals == std::string::npos && i + 1 == argv.size()))
        return {};
      auto& value = options.values[std::string(known->first)];
      if (!value.empty()) value += ',';
      value += equals == std::string::npos ? argv[++i] : word.substr(equals + 1);
    }
  }
  // A path stands for the unit that is there.
  for (auto& name : options.names) name = with_type(Path(name).filename().string());
  return options;
}

Result<Output> Units::systemctl(const Command& command) {
  pass_time();
  const auto options = read_options(command.argv);
  if (!options) return host_.does_not_know(command);
  if (options->verb == "daemon-reload" || options->verb == "daemon-reexec") {
    daemon_reload();
    return Output{};
  }
  static constexpr std::array<std::string_view, 8> telling = {
      "show",      "list-units", "list-unit-files",   "list-timers",
      "is-active", "is-enabled", "is-system-running", "is-failed"};
  if (std::ranges::find(telling, options->verb) != telling.end()) return look(*options, command);
  return change(*options, command);
}

Result<Output> Units::look(const Options& options, const Command& command) {
  const auto& verb = options.verb;
  if (verb == "show") return show(options, command);
  if (verb == "list-units") return list_units(options, command);
  if (verb == "list-unit-files") return list_unit_files(options, command);
  if (verb == "list-timers") return list_timers(options, command);
  if (verb == "is-active") return is_active(options);
  if (verb == "is-enabled") return is_enabled(options);
  if (verb == "is-system-running") {
    if (options.has("--wait")) host_.spend(std::max(up_at_ - host_.now(), Millis(0)));
    return is_system_running();
  }
  return host_.does_not_know(command);
}

std::optional<std::string> Units::property(const std::string& unit, const std::string& name,
                                           bool unix_time) {
  const auto now = state(unit);
  if (name == "Id" || name == "Names") return unit;
  if (name == "Description") return now.description.empty() ? unit : now.description;
  if (name == "LoadState") return now.load;
  if (name == "ActiveState") return now.active;
  if (name == "SubState") return now.sub;
  if (name == "UnitFileState") return now.transient ? "transient" : file_state(unit);
  if (name == "FragmentPath") return fragment_of(unit).string();
  if (name == "NeedDaemonReload")
    return now.load != "not-found" && !now.transient && now.text != text_of(unit) ? "yes" : "no";
  if (name == "InvocationID") return now.invocation;
  if (name == "InactiveExitTimestamp") return time_of(now.since, unix_time);
  if (name == "ActiveEnterTimestamp")
    return time_of(now.active == "active" ? now.since : Instant(), unix_time);
  if (name == "Result") return now.result;
  if (name == "TriggeredBy") return triggers_of(unit);
  if (name == "ConditionResult") return now.since == Instant() ? "no" : "yes";
  // Only services have the others.
  if (!unit.ends_with(".service")) return {};
  if (name == "NRestarts") return std::to_string(now.restarts);
  if (name == "ExecMainStatus") return std::to_string(now.status);
  if (name == "MainPID") return now.active == "active" && now.sub == "running" ? "4711" : "0";
  if (name == "Type") {
    const auto type = UnitText(now.text).value("Service", "Type");
    return type.empty() ? "simple" : type;
  }
  return {};
}

Result<Output> Units::show(const Options& options, const Command& command) {
  const auto wanted = options.values.find("--property");
  // All properties of a unit are too many to be known.
  if (wanted == options.values.end() || options.names.empty()) return host_.does_not_know(command);
  const auto timestamp = options.values.find("--timestamp");
  const bool unix_time = timestamp != options.values.end() && timestamp->second == "unix";
  Output output;
  for (const auto& unit : options.names) {
    if (!output.out.empty()) output.out += "\n";
    for (const auto name : split(wanted->second, ',')) {
      const auto value = property(unit, std::string(name), unix_time);
      if (!value) return host_.does_not_know(command);
      output.out += fmt::format("{}={}\n", name, *value);
    }
  }
  return output;
}

Result<Output> Units::list_units(const Options& options, const Command& command) {
  const auto value = [&](const std::string& name) {
    const auto found = options.values.find(name);
    return found == options.values.end() ? std::string() : found->second;
  };
  const bool is_json = value("--output") == "json";
  if (!options.names.empty() ||
      (!is_json && !(options.has("--plain") && options.has("--no-legend"))))
    return host_.does_not_know(command);
  Words names;
  for (const auto& [name, unit] : units_) names.push_back(name);
  Json list = Json::array();
  Output output;
  for (const auto& name : names) {
    const auto unit = state(name);
    const bool is_idle = unit.active == "inactive";
    if (options.has("--failed") && unit.active != "failed") continue;
    if (!options.has("--all") && is_idle && value("--state").empty()) continue;
    if (!fits(value("--state"), unit.active) && !fits(value("--state"), unit.sub)) continue;
    if (!fits(value("--type"), std::string_view(name).substr(name.rfind('.') + 1))) continue;
    list.push_back({{"unit", name},
                    {"load", unit.load},
                    {"active", unit.active},
                    {"sub", unit.sub},
                    {"description", unit.description}});
    if (!is_json)
      output.out +=
          fmt::format("{} {} {} {} {}\n", name, unit.load, unit.active, unit.sub, unit.description);
  }
  if (is_json) output.out = list.dump() + "\n";
  return output;
}

Result<Output> Units::list_unit_files(const Options& options, const Command& command) {
  const auto form = options.values.find("--output");
  if (!options.names.empty() || form == options.values.end() || form->second != "json")
    return host_.does_not_know(command);
  auto all = files_;
  for (const auto* folder : {"/etc/systemd/system", "/usr/lib/systemd/system"}) {
    const auto names = host_.list(folder);
    if (!names) continue;
    for (const auto& name : *names)
      if (name.find('.') != std::string::npos && !name.ends_with(".d") &&
          !name.ends_with(".wants") && !name.ends_with(".requires"))
        all.try_emplace(name);
  }
  Json list = Json::array();
  for (const auto& [name, known] : all)
    list.push_back({{"unit_file", name},
                    {"state", file_state(name)},
                    {"preset", known.preset.empty() ? Json() : Json(known.preset)}});
  return Output{.out = list.dump() + "\n"};
}

Result<Output> Units::list_timers(const Options& options, const Command& command) {
  const auto form = options.values.find("--output");
  if (form == options.values.end() || form->second != "json") return host_.does_not_know(command);
  Json list = Json::array();
  for (const auto& [name, timer] : timers_)
    list.push_back({{"next", micros(timer.next)},
                    {"left", 0},
                    {"last", micros(timer.last)},
                    {"passed", 0},
                    {"unit", name},
                    {"activates", timer.activates}});
  return Output{.out = list.dump() + "\n"};
}

Output Units::is_system_running() {
  if (host_.now() < up_at_) return {.status = 1, .out = "starting\n"};
  Words names;
  for (const auto& [name, unit] : units_) names.push_back(name);
  const bool degraded = std::ranges::any_of(
      names, [&](const std::string& name) { return state(name).active == "failed"; });
  return degraded ? Output{.status = 1, .out = "degraded\n"} : Output{.out = "running\n"};
}

Output Units::is_active(const Options& options) {
  Output output{.status = not_running};
  for (const auto& name : options.names) {
    const auto active = state(name).active;
    if (!options.has("--quiet")) output.out += active + "\n";
    if (active == "active") output.status = 0;
  }
  return output;
}

Output Units::is_enabled(const Options& options) const {
  Output output{.status = 1};
  for (const auto& name : options.names) {
    const auto file = file_state(name);
    if (file.empty()) {
      output.err +=
          fmt::format("Failed to get unit file state for {}: No such file or directory\n", name);
      continue;
    }
    if (!options.has("--quiet")) output.out += file + "\n";
    if (file != "disabled" && file != "masked" && file != "linked") output.status = 0;
  }
  return output;
}

}  // namespace relab::agent::sim
