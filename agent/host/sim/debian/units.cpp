#include "agent/host/sim/debian/units.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

namespace relab::agent::sim {

namespace {

constexpr auto own_folder = "/etc/systemd/system";
constexpr std::array folders = {"/etc/systemd/system", "/run/systemd/system",
                                "/usr/lib/systemd/system", "/lib/systemd/system"};
/// Of a program that is not there.
constexpr int status_exec = 203;
constexpr std::string_view no_executable = "Failed to locate executable ";
/// Of one that must not see all files, where the kernel does not let systemd arrange that.
constexpr int status_namespace = 226;
constexpr std::string_view no_namespaces = "Failed to set up mount namespacing: ";
constexpr int restart_pause_ms = 100;

std::string type_of(std::string_view unit) {
  const auto dot = unit.rfind('.');
  return dot == std::string_view::npos ? std::string() : std::string(unit.substr(dot + 1));
}

/// "wg-quick@wg0.service" is of "wg-quick@.service".
std::string template_of(const std::string& unit) {
  const auto at = unit.find('@');
  if (at == std::string::npos) return {};
  return unit.substr(0, at + 1) + "." + type_of(unit);
}

/// https://www.freedesktop.org/software/systemd/man/systemd.exec.html#Sandboxing
bool wants_namespaces(const UnitText& text) {
  static constexpr std::array<const char*, 6> settings = {
      "PrivateTmp",  "PrivateDevices",        "ProtectSystem",
      "ProtectHome", "ProtectKernelTunables", "ProtectControlGroups"};
  return std::ranges::any_of(settings, [&](const char* name) {
    const auto value = text.value("Service", name);
    return !value.empty() && value != "no" && value != "false";
  });
}

/// With which systemd itself ends what it could not start.
int status_of(std::string_view words) {
  if (words.starts_with(no_executable)) return status_exec;
  return words.starts_with(no_namespaces) ? status_namespace : 1;
}

/// Of a unit that is active, where nothing else tells.
std::string usual_sub(const std::string& unit) {
  const auto type = type_of(unit);
  if (type == "timer" || type == "path") return "waiting";
  if (type == "socket") return "listening";
  if (type == "target" || type == "slice") return "active";
  return type == "mount" ? "mounted" : "running";
}

}  // namespace

Units::Units(SimHost& host) : host_(host) {
  host_.directory("/run/systemd/system");
  host_.directory(own_folder);
  program("systemctl", &Units::systemctl);
  program("systemd-run", &Units::systemd_run);
  program("journalctl", &Units::journalctl);
}

void Units::program(const std::string& name, Result<Output> (Units::*run)(const Command&)) {
  host_.program(name, [this, run](const Command& command) { return (this->*run)(command); });
}

void Units::add(const std::string& name, UnitState state) {
  if (state.active == "active" && state.sub_when_active.empty()) state.sub_when_active = state.sub;
  if (state.active == "active" && state.invocation.empty()) state.invocation = next_invocation();
  if (state.active == "active" && state.since == Instant()) state.since = host_.now();
  if (state.text.empty()) state.text = text_of(name);
  units_.insert_or_assign(name, std::move(state));
}

void Units::add_file(const std::string& name, UnitFileState state) {
  files_.insert_or_assign(name, std::move(state));
}

void Units::add_timer(const std::string& name, UnitTimer timer) {
  timers_.insert_or_assign(name, std::move(timer));
}

void Units::install(const std::string& name, const std::string& text, bool enabled_and_started) {
  host_.file(Path("/usr/lib/systemd/system") / name, text, {.mode = 0644, .modified = host_.now()});
  const auto before = file_state(name);
  if (before == "masked") return;
  const bool wanted = UnitText(text).has("Install");
  if (!files_.contains(name)) add_file(name, {.state = wanted ? "disabled" : "static"});
  if (!enabled_and_started) return;
  enable(name);
  if (running_) restart(name);
}

std::string Units::next_invocation() {
  // Of a machine's 128 bits only the last ones are used.
  return fmt::format("{:032x}", 0x5eed0000U + ++invocations_);
}

Path Units::fragment_of(const std::string& name) const {
  for (const auto& wanted : {name, template_of(name)})
    for (const auto* folder : folders)
      if (!wanted.empty() && host_.status(Path(folder) / wanted)) return Path(folder) / wanted;
  return {};
}

std::string Units::text_of(const std::string& name) const {
  const auto fragment = fragment_of(name);
  std::string text;
  if (!fragment.empty()) text = host_.read_file(fragment).value_or("");
  for (const auto* folder : folders) {
    const auto beside = Path(folder) / (name + ".d");
    const auto names = host_.list(beside);
    if (!names) continue;
    for (const auto& one : *names)
      if (one.ends_with(".conf")) text += "\n" + host_.read_file(beside / one).value_or("");
  }
  return text;
}

std::string Units::file_state(const std::string& name) const {
  if (host_.read_link(Path(own_folder) / name).value_or("") == "/dev/null") return "masked";
  if (const auto known = files_.find(name); known != files_.end()) return known->second.state;
  if (fragment_of(name).empty()) return {};
  const UnitText text(text_of(name));
  const auto wanted_by = text.names("Install", "WantedBy");
  for (const auto& target : wanted_by)
    if (host_.status(Path(own_folder) / (target + ".wants") / name)) return "enabled";
  if (!wanted_by.empty() || text.has("Install")) return "disabled";
  return "static";
}

UnitState* Units::find(const std::string& name) {
  pass_time();
  const auto known = units_.find(name);
  // Also by a line of the kernel, or below /run: "masked-runtime".
  const bool masked = file_state(name).starts_with("masked");
  if (known != units_.end()) {
    // Whoever masks a unit has systemd read it anew.
    if (masked && known->second.active != "active") known->second.load = "masked";
    if (!masked && known->second.load == "masked") known->second.load = "loaded";
    pass_time_of(name, known->second);
    return &known->second;
  }
  const bool is_on_disk =
      !fragment_of(name).empty() || files_.contains(name) || files_.contains(template_of(name));
  if (!is_on_disk && !masked) return nullptr;
  UnitState state{.load = masked ? "masked" : "loaded", .text = text_of(name)};
  const UnitText text(state.text);
  state.description = text.value("Unit", "Description");
  if (state.description.empty()) state.description = name;
  const bool is_service = !state.text.empty() && type_of(name) == "service";
  if (!masked && is_service && text.programs().empty() && !text.is_oneshot())
    state.load = "bad-setting";
  return &units_.insert_or_assign(name, std::move(state)).first->second;
}

UnitState Units::state(const std::string& name) {
  const auto* found = find(name);
  return found == nullptr ? UnitState{.load = "not-found"} : *found;
}

bool Units::is_active(const std::string& name) { return state(name).active == "active"; }

void Units::pass_time() {
  for (auto at = pending_.begin(); at != pending_.end();) {
    if (at->due > host_.now()) {
      ++at;
      continue;
    }
    const auto due = *at;
    pending_.erase(at);
    units_.erase(due.timer);
    static_cast<void>(host_.run({.argv = due.argv}).has_value());
    // What ran may have changed the list.
    at = pending_.begin();
  }
  for (auto& [name, timer] : timers_)
    while (timer.next && *timer.next <= host_.now()) {
      timer.last = timer.next;
      *timer.next += std::chrono::hours(24);
    }
}

void Units::pass_time_of(const std::string& name, UnitState& state) {
  const auto span = lives_.find(name);
  if (span == lives_.end() || state.active != "active" || host_.now() - state.since < span->second)
    return;
  const UnitText text(state.text);
  const auto policy = text.value("Service", "Restart");
  log(name, fmt::format("{}: Main process exited, code=exited, status=1/FAILURE", name));
  if (policy == "always" || policy == "on-failure") {
    ++state.restarts;
    state.invocation = next_invocation();
    state.since = host_.now();
    return;
  }
  state.active = state.sub = "failed";
  state.result = "exit-code";
  state.status = 1;
  log(name, fmt::format("{}: Failed with result 'exit-code'.", name));
}

std::string Units::tell(const std::string& unit, UnitAct act) {
  std::vector<std::string> names = {unit};
  if (const auto at = unit.find('@'); at != std::string::npos)
    names.push_back(unit.substr(0, at + 1));
  for (const auto& name : names) {
    const auto hooks = hooks_.find(name);
    if (hooks == hooks_.end()) continue;
    for (const auto& hook : hooks->second)
      if (auto words = hook(unit, act); !words.empty()) return words;
  }
  return {};
}

std::string Units::triggers_of(const std::string& unit) const {
  std::vector<std::string> names;
  for (const auto& [name, timer] : timers_)
    if (timer.activates == unit) names.push_back(name);
  const auto stem = unit.substr(0, unit.rfind('.'));
  for (const auto* type : {".path", ".socket"})
    if (unit.ends_with(".service") && units_.contains(stem + type)) names.push_back(stem + type);
  return fmt::format("{}", fmt::join(names, " "));
}

std::string Units::failure_of(const std::string& name, const UnitText& text) {
  if (const auto words = failing_.find(name); words != failing_.end()) return words->second;
  if (!namespaces_ && wants_namespaces(text)) return fmt::format("{}{}", no_namespaces, name);
  static constexpr std::array<std::string_view, 5> ours = {"/usr/local/", "/opt/", "/srv/",
                                                           "/home/", "/root/"};
  for (const auto& path : text.programs()) {
    // What packages bring is not all there as a file; what an operator brings is.
    const bool must_be_there = std::ranges::any_of(
        ours, [&](std::string_view folder) { return path.starts_with(folder); });
    if (must_be_there && path.find('%') == std::string::npos && !host_.status(path))
      return fmt::format("{}{}: No such file or directory", no_executable, path);
  }
  return {};
}

Output Units::failed(const std::string& name, UnitState& state, const std::string& words,
                     int status) {
  state.active = state.sub = "failed";
  state.result = "exit-code";
  state.status = status;
  state.since = host_.now();
  state.invocation = next_invocation();
  log(name, words);
  log(name, fmt::format("{}: Failed with result 'exit-code'.", name));
  return {.status = 1,
          .err = fmt::format("Job for {0} failed because the control process exited with error "
                             "code.\nSee \"systemctl status {0}\" and \"journalctl -xeu {0}\" for "
                             "details.\n",
                             name)};
}

void Units::run_unit(const std::string& name, UnitState& state, const UnitText& text) {
  state.result = "success";
  state.status = 0;
  state.restarts = 0;
  state.since = host_.now();
  state.invocation = next_invocation();
  log(name, fmt::format("Started {} - {}.", name, state.description));
  const bool ends = text.is_oneshot() && !text.is_true("Service", "RemainAfterExit");
  const bool is_of_timer = std::ranges::any_of(
      timers_, [&](const auto& timer) { return timer.second.activates == name; });
  if (ends || (state.text.empty() && is_of_timer && state.sub_when_active.empty())) {
    state.active = "inactive";
    state.sub = "dead";
    log(name, fmt::format("{}: Deactivated successfully.", name));
    return;
  }
  state.active = "active";
  state.sub = text.is_oneshot() ||
                      (type_of(name) == "service" && !state.text.empty() && text.programs().empty())
                  ? "exited"
                  : usual_sub(name);
  if (!state.sub_when_active.empty()) state.sub = state.sub_when_active;
  if (type_of(name) == "timer" && !timers_.contains(name)) {
    const auto activated = text.value("Timer", "Unit");
    const auto stem = name.substr(0, name.rfind('.'));
    add_timer(name, {.activates = activated.empty() ? stem + ".service" : activated,
                     .next = std::chrono::ceil<std::chrono::days>(host_.now())});
  }
}

Output Units::start(const std::string& name) {
  auto* state = find(name);
  if (state == nullptr)
    return {.status = 5, .err = fmt::format("Failed to start {0}: Unit {0} not found.\n", name)};
  if (state->load == "masked")
    return {.status = 1, .err = fmt::format("Failed to start {0}: Unit {0} is masked.\n", name)};
  if (state->load == "bad-setting")
    return {.status = 1,
            .err = fmt::format("Failed to start {0}: Unit {0} has a bad unit file setting.\n"
                               "See system logs and 'systemctl status {0}' for details.\n",
                               name)};
  if (state->active == "active") return {};
  const UnitText text(state->text);
  for (const auto& path : text.values("Unit", "ConditionPathExists")) {
    const bool negated = path.starts_with('!');
    // A condition that does not hold is no failure: the unit is passed over.
    if (host_.status(negated ? path.substr(1) : path).has_value() == negated) return {};
  }
  // Nobody waits for those that start with the machine.
  if (!booting_) host_.spend(Millis(restart_pause_ms));
  if (const auto words = failure_of(name, text); !words.empty())
    return failed(name, *state, words, status_of(words));
  if (const auto words = tell(name, UnitAct::start); !words.empty())
    return failed(name, *state, words, 1);
  for (const auto& other : text.names("Unit", "Requires"))
    if (find(other) != nullptr && !is_active(other))
      if (auto output = start(other); output.status != 0)
        return {.status = 1,
                .err = fmt::format("A dependency job for {} failed. See 'journalctl -xe' for "
                                   "details.\n",
                                   name)};
  run_unit(name, units_.at(name), text);
  return {};
}

Output Units::stop(const std::string& name) {
  auto* state = find(name);
  if (state == nullptr)
    return {.status = 5, .err = fmt::format("Failed to stop {0}: Unit {0} not loaded.\n", name)};
  std::erase_if(pending_, [&](const Pending& pending) { return pending.timer == name; });
  if (state->active == "active") {
    host_.spend(Millis(restart_pause_ms));
    static_cast<void>(tell(name, UnitAct::stop));
    state = &units_.at(name);
    state->active = "inactive";
    state->sub = "dead";
    log(name, fmt::format("Stopped {} - {}.", name, state->description));
  }
  if (state->transient && state->active != "failed") units_.erase(name);
  return {};
}

Output Units::restart(const std::string& name) {
  const auto* state = find(name);
  if (state == nullptr)
    return {.status = 5, .err = fmt::format("Failed to restart {0}: Unit {0} not found.\n", name)};
  if (state->active == "active")
    if (auto output = stop(name); output.status != 0) return output;
  return start(name);
}

/// Those that a link has start with some target.
std::set<std::string> Units::wanted_services() const {
  std::set<std::string> services;
  const auto found = host_.list(own_folder).value_or(Words());
  for (const auto& folder : found) {
    if (!folder.ends_with(".wants")) continue;
    const auto names = host_.list(Path(own_folder) / folder).value_or(Words());
    for (const auto& name : names)
      if (name.ends_with(".service") && file_state(name) == "enabled") services.insert(name);
  }
  return services;
}

void Units::boot(Millis takes) {
  running_ = true;
  up_at_ = host_.now() + takes;
  std::set<std::string> names;
  for (const auto& [name, file] : files_)
    if (file.state == "enabled" && name.find("@.") == std::string::npos) names.insert(name);
  names.merge(wanted_services());
  for (const auto& [name, state] : units_) {
    const auto file = file_state(name);
    // What ran before, and nobody starts by its own name, was started by another unit.
    const bool is_pulled = file != "disabled" && file != "masked" && !state.sub_when_active.empty();
    if (file == "enabled" || is_pulled) names.insert(name);
  }
  booting_ = true;
  for (const auto& name : names) static_cast<void>(start(name));
  booting_ = false;
}

void Units::shut_down() {
  for (auto& [name, state] : units_) {
    if (state.active == "active") static_cast<void>(tell(name, UnitAct::stop));
    state.active = "inactive";
    state.sub = "dead";
  }
  std::erase_if(units_, [](const auto& unit) { return unit.second.transient; });
  pending_.clear();
  running_ = false;
}

}  // namespace relab::agent::sim
