#include "agent/kinds/system/unit.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>

#include "agent/kinds/support/fill.h"
#include "agent/kinds/system/rights.h"
#include "agent/kinds/system/unit_watch.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::system {

namespace {

using Params = schema::Unit;
using Facts = schema::Unit::Facts;
using Starts = schema::Unit::Starts;
using State = schema::Unit::State;
using Texts = std::vector<std::string>;

bool is_unit(std::string_view name) {
  const auto dot = name.rfind('.');
  const auto type = dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
  const bool is_plain = std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_:.@\\-").find(c) != std::string_view::npos;
  });
  static constexpr std::array<std::string_view, 7> types = {"service",   "socket", "timer", "mount",
                                                            "automount", "path",   "target"};
  return dot != 0 && is_plain && !name.starts_with('-') && !name.starts_with('@') &&
         std::ranges::find(types, type) != types.end();
}

Result<void> check_wish(Params::Reader params) {
  if (!is_unit(view(params.getName())))
    return fail(Fault::invalid, fmt::format("'{}' is no unit", str(params.getName())));
  if (params.getStarts() == Starts::UNSET && params.getState() == State::UNSET)
    return fail(Fault::invalid, "neither whether it starts by itself nor whether it runs is given");
  if (params.getStarts() == Starts::MASKED && params.getState() == State::ACTIVE)
    return fail(Fault::invalid, "what is masked cannot be active");
  if (params.getRestartFor().size() != 0 && params.getState() != State::ACTIVE)
    return fail(Fault::invalid, "only a unit that is to be active is restarted for files");
  for (const auto file : params.getRestartFor()) RELAB_CHECK(check_path(view(file)));
  return {};
}

template <typename List>
void store_texts(List list, const Texts& texts) {
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, texts[i]);
}

/// Seconds are all that systemd tells: a file of the same second counts as newer.
std::int64_t second_of(Instant instant) {
  return std::chrono::floor<std::chrono::seconds>(instant.time_since_epoch()).count();
}

/// dpkg puts a new file in the place of an old one with the time of its package, which may be older
/// than the start by years. Only the kernel tells when it came there.
Instant written(const FileStatus& status) { return std::max(status.modified, status.changed); }

Result<void> describe_files(Params::Reader params, std::int64_t started, Host& host,
                            Facts::Builder facts) {
  Texts newer;
  Texts absent;
  for (const auto file : params.getRestartFor()) {
    const auto real = host.canonical(str(file));
    const auto status = real ? host.status(*real) : Result<FileStatus>(fail(real.error()));
    if (!status && status.error().fault != Fault::missing) return fail(status.error());
    if (!status) absent.push_back(str(file));
    if (status && second_of(written(*status)) >= started) newer.push_back(str(file));
  }
  store_texts(facts.initNewer(size_of(newer)), newer);
  store_texts(facts.initAbsent(size_of(absent)), absent);
  return {};
}

bool is_running(Facts::Reader facts) { return view(facts.getActive()) == "active"; }

/// "inactive" and "failed" are both not running.
bool is_stopped(Facts::Reader facts) {
  return view(facts.getActive()) == "inactive" || view(facts.getActive()) == "failed";
}

bool is_masked(Facts::Reader facts) { return view(facts.getUnitFile()).starts_with("masked"); }

Result<void> plan_starts(Params::Reader params, Facts::Reader facts, std::vector<Change>& changes) {
  const auto name = str(params.getName());
  const auto now = str(facts.getUnitFile());
  const auto add = [&](std::string_view what, std::string verb) {
    changes.push_back({.what = fmt::format("~ {} {} (was: {})", name, what, now),
                       .how = {std::move(verb), name}});
  };
  if (params.getStarts() == Starts::UNSET) return {};
  if (params.getStarts() == Starts::MASKED) {
    if (now != "masked") add("masked", "mask");
    return {};
  }
  const bool wanted = params.getStarts() == Starts::ENABLED;
  if (now == (wanted ? "enabled" : "disabled")) return {};
  if (is_masked(facts)) {
    add("not masked any more", "unmask");
  } else if (now != "enabled" && now != "enabled-runtime" && now != "disabled" && now != "linked" &&
             now != "linked-runtime" && now != "indirect") {
    return refuse(fmt::format("{} is '{}': whether it starts by itself cannot be changed", name,
                              now.empty() ? "without a file" : now),
                  "only units with an [Install] section can be enabled or disabled");
  }
  add(wanted ? "enabled" : "disabled", wanted ? "enable" : "disable");
  return {};
}

Change running(Params::Reader params, std::string what, std::string verb) {
  return {.what = std::move(what),
          .how = {std::move(verb), str(params.getName()), std::to_string(params.getSettle())}};
}

Result<void> plan_state(Params::Reader params, Facts::Reader facts, std::vector<Change>& changes) {
  const auto name = str(params.getName());
  const auto came_back = view(facts.getUnsteady());
  if (params.getState() == State::INACTIVE && (!is_stopped(facts) || !came_back.empty()))
    changes.push_back({.what = came_back.empty() ? fmt::format("~ {} stopped (was: {})", name,
                                                               view(facts.getActive()))
                                                 : fmt::format("~ {} stopped: {}", name, came_back),
                       .how = {"stop", name}});
  if (params.getState() != State::ACTIVE) return {};
  if (is_masked(facts) && params.getStarts() == Starts::UNSET)
    return refuse(fmt::format("{} is masked, and cannot be started", name),
                  "give the task `starts`, too, if it may be unmasked");
  if (facts.getAbsent().size() != 0)
    return fail(Fault::missing, fmt::format("{} is to be restarted for {}, which is not there",
                                            name, view(facts.getAbsent()[0])));
  if (!is_running(facts)) {
    changes.push_back(running(
        params, fmt::format("+ {} started (was: {})", name, view(facts.getActive())), "start"));
  } else if (facts.getNewer().size() != 0) {
    changes.push_back(running(
        params, fmt::format("~ {} restarted, for {}", name, view(facts.getNewer()[0])), "restart"));
  } else if (!facts.getSteady()) {
    changes.push_back(running(
        params, fmt::format("~ {} restarted: {}", name, view(facts.getUnsteady())), "restart"));
  }
  return {};
}

/// Nothing can start it once all of the order is done.
bool ends_masked(Params::Reader params, std::string_view unit_file) {
  if (params.getStarts() != Starts::UNSET) return params.getStarts() == Starts::MASKED;
  return unit_file.starts_with("masked");
}

/// What is stopped and is started by a timer, a socket or a path a moment later is not as it was
/// ordered, whenever that moment comes.
Result<void> check_triggers(Host& host, Params::Reader params, std::string_view unit_file) {
  const auto name = str(params.getName());
  if (params.getState() != State::INACTIVE || ends_masked(params, unit_file)) return {};
  RELAB_TRY(const auto triggers, active_triggers(host, name));
  if (triggers.empty()) return {};
  return refuse(fmt::format("{} would not stay inactive: {}, active now, would start it", name,
                            fmt::join(triggers, ", ")),
                "order what would start it to be inactive before, or this one to be masked");
}

Result<Watched> look_or_watch(Host& host, Params::Reader params) {
  const auto name = str(params.getName());
  const auto settle = std::chrono::seconds(params.getSettle());
  if (params.getState() == State::ACTIVE) return watch_unit(host, name, settle);
  if (params.getState() == State::INACTIVE) return watch_stopped_unit(host, name, settle);
  RELAB_TRY(auto now, look_at_unit(host, name));
  return Watched{.now = std::move(now)};
}

/// So that a file which was written just now is older than the start, by systemd's clock, too.
Result<void> wait_for_next_second(Host& host) {
  const auto left = Millis(1000) - (host.now().time_since_epoch() % Millis(1000));
  return host.pause(left, {.what = "waiting for the next second"});
}

Result<void> start(Host& host, const std::string& verb, const std::string& name,
                   std::chrono::seconds settle) {
  RELAB_CHECK(wait_for_next_second(host));
  // A unit that has failed too often is not started again before that is forgotten.
  RELAB_TRY(auto before, look_at_unit(host, name));
  if (before["ActiveState"] == "failed") RELAB_CHECK(systemctl(host, {"reset-failed", "--", name}));
  const auto begun = systemctl(host, {verb, "--", name});
  if (!begun && begun.error().fault != Fault::damaged) return begun;
  RELAB_TRY(const auto watched, watch_unit(host, name, settle));
  if (begun && watched.steady) return {};
  const auto why = watched.unsteady.empty() ? "it is " + words_of(watched.now) : watched.unsteady;
  return fail(Fault::damaged,
              fmt::format("{} does not run: {}; {}its log ends with: {}", name, why,
                          begun ? std::string() : begun.error().what + "; ",
                          fmt::join(last_lines(host, name), " | ")),
              fmt::format("`systemctl status {}`", name));
}

}  // namespace

Result<Message<Facts>> Unit::observe(Params::Reader params, Host& host) {
  RELAB_CHECK(check_wish(params));
  const auto name = str(params.getName());
  RELAB_TRY(const auto watched, look_or_watch(host, params));
  const auto& now = watched.now;
  const bool is_there = now.at("LoadState") != "not-found";
  if (is_there) RELAB_CHECK(check_triggers(host, params, now.at("UnitFileState")));
  Draft<Facts> facts;
  facts->setName(name);
  facts->setLoad(now.at("LoadState"));
  facts->setUnitFile(now.at("UnitFileState"));
  facts->setActive(now.at("ActiveState"));
  facts->setSub(now.at("SubState"));
  facts->setReload(now.at("NeedDaemonReload") == "yes");
  facts->setSteady(watched.steady);
  facts->setUnsteady(watched.unsteady);
  facts->setResult(now.at("Result"));
  facts->setExitCode(parse_number<std::int32_t>(now.at("ExecMainStatus")).value_or(0));
  RELAB_CHECK(
      describe_files(params, parse_unix_time(now.at("InactiveExitTimestamp")), host, *facts));
  if (params.getState() == State::ACTIVE && is_there && !watched.steady) {
    const auto log = last_lines(host, name);
    store_texts(facts->initLog(size_of(log)), log);
  }
  return std::move(facts).finish();
}

Result<std::vector<Change>> Unit::plan(Params::Reader params, Facts::Reader facts) {
  const auto name = str(params.getName());
  const auto load = view(facts.getLoad());
  if (load == "not-found")
    return fail(Fault::missing, fmt::format("there is no unit {}", name),
                "install what brings it, or write its file first");
  std::vector<Change> changes;
  if (facts.getReload())
    changes.push_back({.what = fmt::format("~ systemd reads its units anew: the files of {} have "
                                           "changed",
                                           name),
                       .how = {"daemon-reload", name}});
  if (load != "loaded" && load != "masked" && changes.empty())
    return fail(Fault::damaged, fmt::format("systemd cannot load {}: {}", name, load));
  RELAB_CHECK(plan_starts(params, facts, changes));
  RELAB_CHECK(plan_state(params, facts, changes));
  return changes;
}

Result<void> Unit::apply(const Change& change, Host& host) {
  const auto& how = change.how;
  RELAB_ASSERT(how.size() >= 2);
  const auto& verb = how[0];
  if (verb == "daemon-reload") return systemctl(host, {"daemon-reload"});
  if (verb != "start" && verb != "restart") return systemctl(host, {verb, "--", how[1]});
  RELAB_ASSERT(how.size() == 3);
  const auto settle = parse_number<std::uint32_t>(how[2]);
  RELAB_ASSERT(settle.has_value());
  return start(host, verb, how[1], std::chrono::seconds(*settle));
}

}  // namespace relab::agent::system
