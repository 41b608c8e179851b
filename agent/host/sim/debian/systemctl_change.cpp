// What systemctl and systemd-run change, and the log.

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "agent/host/sim/debian/units.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

constexpr auto own_folder = "/etc/systemd/system";

void say(Output& all, const Output& one) {
  all.out += one.out;
  all.err += one.err;
  if (all.status == 0) all.status = one.status;
}

/// "10min", "30s", "600"
std::optional<Millis> parse_span(std::string_view text) {
  using std::chrono::seconds;
  static constexpr std::array<std::pair<std::string_view, int>, 4> units = {
      {{"min", 60}, {"h", 3600}, {"s", 1}, {"", 1}}};
  for (const auto& [name, factor] : units) {
    if (!text.ends_with(name)) continue;
    const auto number = parse_number<int>(text.substr(0, text.size() - name.size()));
    if (number) return Millis(seconds(*number * factor));
  }
  return {};
}

}  // namespace

void Units::daemon_reload() {
  for (auto& [name, state] : units_) {
    if (state.transient) continue;
    state.text = text_of(name);
    const UnitText text(state.text);
    if (const auto words = text.value("Unit", "Description"); !words.empty())
      state.description = words;
    if (state.text.empty() || !name.ends_with(".service")) continue;
    const bool runnable = !text.programs().empty() || text.is_oneshot();
    state.load = runnable ? "loaded" : "bad-setting";
  }
  std::erase_if(units_, [&](const auto& unit) {
    return !unit.second.transient && unit.second.active == "inactive" &&
           file_state(unit.first).empty() && unit.second.sub_when_active.empty();
  });
}

Output Units::enable(const std::string& name) {
  const auto file = file_state(name);
  if (file.empty())
    return {.status = 1,
            .err = fmt::format("Failed to enable unit: Unit file {} does not exist.\n", name)};
  if (file == "masked")
    return {.status = 1,
            .err = fmt::format("Failed to enable unit: Unit file {}/{} is masked.\n", own_folder,
                               name)};
  if (file == "static" || file == "generated")
    return {.err =
                "The unit files have no installation config (WantedBy=, RequiredBy=, Also=,\n"
                "Alias= settings in the [Install] section, and DefaultInstance= for template\n"
                "units). This means they are not meant to be enabled using systemctl.\n"};
  if (const auto known = files_.find(name); known != files_.end()) known->second.state = "enabled";
  const auto fragment = fragment_of(name);
  const UnitText text(text_of(name));
  Output output;
  for (const auto& target : text.names("Install", "WantedBy")) {
    const auto link = Path(own_folder) / (target + ".wants") / name;
    if (host_.status(link)) continue;
    host_.link(link, fragment.string());
    output.err += fmt::format("Created symlink {} → {}.\n", link.string(), fragment.string());
  }
  return output;
}

Output Units::disable(const std::string& name) {
  const auto file = file_state(name);
  if (file.empty())
    return {.status = 1,
            .err = fmt::format("Failed to disable unit: Unit file {} does not exist.\n", name)};
  const auto known = files_.find(name);
  if (known != files_.end() && known->second.state == "enabled") known->second.state = "disabled";
  Output output;
  const auto names = host_.list(own_folder).value_or(Words());
  for (const auto& folder : names) {
    const auto link = Path(own_folder) / folder / name;
    if (!folder.ends_with(".wants") || !host_.status(link)) continue;
    host_.remove(link);
    output.err += fmt::format("Removed \"{}\".\n", link.string());
  }
  return output;
}

Output Units::mask(const std::string& name) {
  const auto path = Path(own_folder) / name;
  if (file_state(name) == "masked") return {};
  if (host_.status(path))
    return {.status = 1,
            .err = fmt::format("Failed to mask unit: File {} already exists.\n", path.string())};
  host_.link(path, "/dev/null");
  return {.err = fmt::format("Created symlink {} → /dev/null.\n", path.string())};
}

Output Units::unmask(const std::string& name) {
  const auto path = Path(own_folder) / name;
  const auto known = files_.find(name);
  if (known != files_.end() && known->second.state == "masked") known->second.state = "disabled";
  if (host_.read_link(path).value_or("") != "/dev/null") return {};
  host_.remove(path);
  return {.err = fmt::format("Removed \"{}\".\n", path.string())};
}

Output Units::reset_failed(const Options& options) {
  Output output;
  for (auto& [name, state] : units_) {
    const bool named =
        options.names.empty() || std::ranges::find(options.names, name) != options.names.end();
    if (named && state.active == "failed") {
      state.active = "inactive";
      state.sub = "dead";
      state.result = "success";
    }
  }
  for (const auto& name : options.names)
    if (!units_.contains(name))
      say(output, {.status = 1,
                   .err = fmt::format("Failed to reset failed state of unit {0}: Unit {0} not "
                                      "loaded.\n",
                                      name)});
  std::erase_if(units_, [](const auto& unit) {
    return unit.second.transient && unit.second.active == "inactive";
  });
  return output;
}

Result<Output> Units::change(const Options& options, const Command& command) {
  if (options.verb == "reset-failed") return reset_failed(options);
  Output output;
  for (const auto& name : options.names) {
    RELAB_TRY(const auto one, change_one(options.verb, name, command));
    say(output, one);
  }
  if (options.names.empty()) return host_.does_not_know(command);
  if (!options.has("--now") || output.status != 0) return output;
  for (const auto& unit : options.names) {
    if (options.verb == "enable") say(output, start(unit));
    if (options.verb == "disable" || options.verb == "mask") say(output, stop(unit));
  }
  return output;
}

Result<Output> Units::change_one(const std::string& verb, const std::string& name,
                                 const Command& command) {
  if (verb == "start") return start(name);
  if (verb == "stop") return stop(name);
  if (verb == "restart" || verb == "reload-or-restart") return restart(name);
  if (verb == "try-restart") return is_active(name) ? restart(name) : Output{};
  if (verb == "enable") return enable(name);
  if (verb == "disable") return disable(name);
  if (verb == "mask") return mask(name);
  if (verb == "unmask") return unmask(name);
  if (verb != "reload") return host_.does_not_know(command);
  if (!is_active(name))
    return Output{.status = 1,
                  .err = fmt::format("Failed to reload {0}: Unit {0} is not active.\n", name)};
  const auto words = tell(name, UnitAct::reload);
  return words.empty() ? Output{} : Output{.status = 1, .err = words + "\n"};
}

Result<Output> Units::systemd_run(const Command& command) {
  std::map<std::string, std::string> properties;
  std::string unit;
  std::optional<Millis> after;
  bool remains = false;
  std::size_t at = 1;
  for (; at < command.argv.size() && command.argv[at].starts_with('-'); ++at) {
    const auto& word = command.argv[at];
    if (word == "--") {
      ++at;
      break;
    }
    const auto equals = word.find('=');
    const auto name = word.substr(0, equals);
    const auto value = equals == std::string::npos ? std::string() : word.substr(equals + 1);
    if (name == "--unit") {
      unit = value;
    } else if (name == "--on-active") {
      after = parse_span(value);
      if (!after) return host_.does_not_know(command);
    } else if (name == "--remain-after-exit") {
      remains = true;
    } else if (name == "--property") {
      const auto inner = value.find('=');
      properties[value.substr(0, inner)] = value.substr(inner + 1);
    } else if (name != "--quiet" && name != "--no-block" && name != "--collect" &&
               name != "--setenv" && name != "--wait" && word != "--service-type=oneshot") {
      return host_.does_not_know(command);
    }
  }
  const Words argv(command.argv.begin() + static_cast<std::ptrdiff_t>(at), command.argv.end());
  if (unit.empty() || argv.empty()) return host_.does_not_know(command);
  const auto name = after ? Path(unit).stem().string() + ".timer" : with_type(unit);
  if (find(name) != nullptr)
    return Output{.status = 1,
                  .err = fmt::format("Failed to start transient {} unit: Unit {} was already "
                                     "loaded or has a fragment file.\n",
                                     after ? "timer" : "service", name)};
  if (!after) return run_transient(name, argv, properties, remains);
  add(name, {.active = "active", .sub = "waiting", .description = name, .transient = true});
  pending_.push_back({.timer = name, .due = host_.now() + *after, .argv = argv});
  return Output{.err = fmt::format("Running timer as unit: {}\n", name)};
}

Result<Output> Units::run_transient(const std::string& name, const Words& argv,
                                    const std::map<std::string, std::string>& properties,
                                    bool remains) {
  RELAB_TRY(const auto ended, host_.run({.argv = argv}));
  if (const auto to = properties.find("StandardOutput");
      to != properties.end() && to->second.starts_with("truncate:"))
    host_.file(to->second.substr(std::string_view("truncate:").size()), ended.out + ended.err,
               {.mode = 0644, .modified = host_.now()});
  const bool well = ended.status == 0;
  UnitState state{.active = well ? "active" : "failed",
                  .sub = well ? "exited" : "failed",
                  .description = fmt::format("{}", fmt::join(argv, " ")),
                  .result = well ? "success" : "exit-code",
                  .status = ended.status,
                  .transient = true};
  if (!well || remains) add(name, std::move(state));
  return Output{};
}

Result<Output> Units::journalctl(const Command& command) {
  std::string unit;
  std::size_t count = 0;
  bool bare = false;
  for (std::size_t i = 1; i < command.argv.size(); ++i) {
    auto word = command.argv[i];
    const auto next = [&] { return i + 1 < command.argv.size() ? command.argv[++i] : ""; };
    if (word == "-u") word = "--unit=" + next();
    if (word == "-n") word = "--lines=" + next();
    if (word == "-o") word = "--output=" + next();
    if (word.starts_with("--unit=")) {
      unit = with_type(word.substr(std::string_view("--unit=").size()));
    } else if (word.starts_with("--lines=")) {
      const auto lines =
          parse_number<std::size_t>(word.substr(std::string_view("--lines=").size()));
      if (!lines) return host_.does_not_know(command);
      count = *lines;
    } else if (word == "--output=cat") {
      bare = true;
    } else if (word != "--no-pager" && word != "--quiet" && word != "-q") {
      return host_.does_not_know(command);
    }
  }
  // Other forms begin each line with a time and names.
  if (unit.empty() || !bare) return host_.does_not_know(command);
  const auto& lines = logs_[unit];
  const auto from = count == 0 || lines.size() < count ? 0 : lines.size() - count;
  Output output;
  for (auto i = from; i < lines.size(); ++i) output.out += lines[i] + "\n";
  return output;
}

}  // namespace relab::agent::sim
