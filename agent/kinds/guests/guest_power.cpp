#include "agent/kinds/guests/guest_power.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "agent/kinds/guests/lacking.h"
#include "agent/kinds/guests/pct.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/look_inside.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::guests {

namespace {

using std::chrono::seconds;

constexpr auto look_pause = Millis(2000);
/// What falls over falls over soon.
constexpr auto settle_pause = Millis(3000);
/// Of the shell: there is no such program, or it cannot be run.
constexpr std::array no_program = {126, 127};

/// Instead of what its systemd says.
constexpr std::string_view no_systemd = "none";

/// What its systemd says; `no_systemd` where it has another init, "" while it does not answer.
Result<std::string> systemd_in(Host& host, std::uint32_t vmid) {
  auto argv = inside(vmid);
  argv.insert(argv.end(), {"systemctl", "is-system-running"});
  RELAB_TRY(const auto output, host.run({.argv = std::move(argv)}));
  if (std::ranges::find(no_program, output.status) != no_program.end())
    return std::string(no_systemd);
  return std::string(trim(output.out));
}

Result<std::vector<std::string>> failed_in(Host& host, std::uint32_t vmid) {
  auto argv = inside(vmid);
  argv.insert(argv.end(),
              {"systemctl", "list-units", "--failed", "--plain", "--no-legend", "--no-pager"});
  RELAB_TRY(const auto output, host.run({.argv = std::move(argv)}));
  std::vector<std::string> units;
  for (const auto line : split(output.out, '\n'))
    if (const auto name = trim(line.substr(0, line.find(' '))); !name.empty())
      units.emplace_back(name);
  return units;
}

/// Of the units that failed those that tell of something. Kernel file systems that no user
/// namespace may mount fail in every container without privileges; systemd leaves out the others by
/// itself.
std::vector<std::string> telling_units(capnp::List<capnp::Text>::Reader failed) {
  static constexpr std::array refused = {"sys-kernel-config.mount", "sys-kernel-debug.mount"};
  auto units = texts_of(failed);
  std::erase_if(units, [](const std::string& unit) {
    return std::ranges::find(refused, unit) != refused.end();
  });
  return units;
}

bool is_up(std::string_view systemd) {
  return systemd == "running" || systemd == "degraded" || systemd == no_systemd;
}

Result<bool> runs(Host& host, std::uint32_t vmid) {
  RELAB_TRY(const auto found, read_pve_guest(host, vmid));
  return found && found->running();
}

/// The last words of its unit, for an error.
std::string last_words(Host& host, std::uint32_t vmid) {
  const auto output = host.run({.argv = {"journalctl", "-u", fmt::format("pve-container@{}", vmid),
                                         "-n", "3", "--no-pager", "-o", "cat"}});
  if (!output || output->status != 0) return "its log could not be read";
  auto words = std::string(trim(output->out));
  std::ranges::replace(words, '\n', ';');
  return words.empty() ? "its log is empty" : words;
}

Error ended(Host& host, std::uint32_t vmid) {
  return {.fault = Fault::damaged,
          .what = fmt::format("container {} ended right after its start: {}", vmid,
                              last_words(host, vmid)),
          .hint = fmt::format("`pct start {} --debug 1` tells more", vmid)};
}

/// What it has of its mounts and devices. A container that cannot be looked into can still be shut
/// down: that is no error yet.
void look_for_lacks(Host& host, std::uint32_t vmid, const PveSection& config,
                    schema::GuestPower::Facts::Builder facts) {
  const auto lacking = lacking_in(host, vmid, config);
  if (!lacking) return facts.setUnseen(lacking.error().sentence());
  set_texts(facts.initLacking(size_of(*lacking)), *lacking);
}

/// Until its system is up, and stayed so for a moment.
Result<void> wait_until_up(Host& host, std::uint32_t vmid, seconds patience) {
  const auto deadline = host.now() + patience;
  std::string systemd;
  for (;;) {
    RELAB_TRY(const auto running, runs(host, vmid));
    if (!running) return fail(ended(host, vmid));
    RELAB_TRY(systemd, systemd_in(host, vmid));
    if (is_up(systemd)) break;
    if (host.now() >= deadline)
      return fail(Fault::busy,
                  fmt::format("the system of container {} was not up within {}: {}", vmid,
                              human(patience), systemd.empty() ? "it does not answer" : systemd),
                  fmt::format("see `pct exec {} -- systemctl list-jobs`", vmid));
    RELAB_CHECK(host.pause(
        look_pause,
        {.what = fmt::format("container {} starts: {}", vmid, systemd), .for_person = {}}));
  }
  RELAB_CHECK(host.pause(
      settle_pause, {.what = fmt::format("container {} has started", vmid), .for_person = {}}));
  RELAB_TRY(const auto running, runs(host, vmid));
  if (!running) return fail(ended(host, vmid));
  return {};
}

Result<void> start(Host& host, std::uint32_t vmid, seconds patience) {
  RELAB_TRY(const auto running, runs(host, vmid));
  if (!running) RELAB_CHECK(pct(host, {"start", std::to_string(vmid)}, patience));
  return wait_until_up(host, vmid, patience);
}

Result<void> shut_down(Host& host, std::uint32_t vmid, seconds patience) {
  RELAB_TRY(const auto running, runs(host, vmid));
  if (!running) return {};
  return pct(host,
             {"shutdown", std::to_string(vmid), "--timeout", std::to_string(patience.count())},
             patience + seconds(30));
}

/// One that runs was started by Proxmox, which binds whatever is there: into the empty folder of a
/// locked pool it writes to the system's disk.
Result<void> check_sources(schema::GuestPower::Reader params,
                           schema::GuestPower::Facts::Reader facts, const std::string& title) {
  auto concern = source_concern(params.getMounts(), facts.getSources());
  if (concern.empty()) return {};
  if (view(facts.getStatus()) != "running")
    return refuse(std::move(concern), "mount it first, and run it again");
  return refuse(
      fmt::format("{} runs without what it is to have: {}", title, concern),
      fmt::format("shut it down (`pct shutdown {}`), unlock and mount the pool, and run it "
                  "again; see what it wrote into the folder below meanwhile",
                  params.getVmid()));
}

}  // namespace

Result<Message<GuestPower::Facts>> GuestPower::observe(Params::Reader params, Host& host) {
  if (params.getVmid() == 0)
    return fail(Fault::invalid,
                fmt::format("the task tells no vmid of '{}'", str(params.getName())),
                "it comes from [[guests]] of lab.toml");
  RELAB_TRY(const auto found, read_pve_guest(host, params.getVmid()));
  Draft<Facts> facts;
  RELAB_CHECK(
      look_at_sources(host, params.getMounts(), facts->initSources(params.getMounts().size())));
  if (!found) return std::move(facts).finish();
  facts->setKind(std::string(name(found->type)));
  facts->setStatus(found->status);
  facts->setLock(found->config.current.value("lock"));
  const auto waiting = waiting_of(found->config);
  set_texts(facts->initWaiting(size_of(waiting)), waiting);
  if (!found->running() || found->type != GuestType::lxc) return std::move(facts).finish();
  RELAB_TRY(const auto systemd, systemd_in(host, params.getVmid()));
  facts->setSystemd(systemd);
  if (is_up(systemd)) look_for_lacks(host, params.getVmid(), found->config.current, *facts);
  if (systemd != "degraded") return std::move(facts).finish();
  RELAB_TRY(const auto failed, failed_in(host, params.getVmid()));
  set_texts(facts->initFailed(size_of(failed)), failed);
  return std::move(facts).finish();
}

Result<std::vector<Change>> GuestPower::plan(Params::Reader params, Facts::Reader facts) {
  if (view(facts.getKind()) != "lxc")
    return refuse(fmt::format("there is no container {} on this host", params.getVmid()),
                  "give the plan a step `guest` before this one");
  const auto vmid = std::to_string(params.getVmid());
  const auto change = [&](std::string what, const char* verb) {
    return std::vector<Change>{
        {.what = std::move(what), .how = {verb, vmid, std::to_string(params.getPatience())}}};
  };
  const auto title = fmt::format("container {} ({})", vmid, str(params.getName()));
  const bool running = view(facts.getStatus()) == "running";
  if (params.getStopped())
    return running ? change("shut down " + title, "stop") : std::vector<Change>();
  RELAB_CHECK(check_sources(params, facts, title));
  if (!running) return change("start " + title, "start");
  const auto lacks = fmt::format("{}", fmt::join(texts_of(facts.getLacking()), "; "));
  if (params.getApplyWaiting() && facts.getWaiting().size() != 0)
    return change(
        fmt::format("restart {}: {} changes wait for it", title, facts.getWaiting().size()),
        "restart");
  if (params.getApplyWaiting() && !lacks.empty())
    return change(fmt::format("restart {}: {}", title, lacks), "restart");
  if (!is_up(view(facts.getSystemd())))
    return change(fmt::format("wait until {} has started", title), "start");
  if (!lacks.empty())
    return refuse(
        fmt::format("{} runs without what its configuration gives it: {}", title, lacks),
        fmt::format("restart it (`pct reboot {}`, or `apply_waiting = true`); see what it "
                    "wrote into the folder that was there instead",
                    vmid));
  // An image that has nothing but its program has no shell either; that is in the notes.
  if (facts.getUnseen().size() != 0 && view(facts.getSystemd()) != no_systemd)
    return refuse(fmt::format("{} cannot be looked into: {}", title, str(facts.getUnseen())),
                  fmt::format("see `pct exec {} -- cat /proc/self/mountinfo`", vmid));
  return std::vector<Change>();
}

std::vector<std::string> GuestPower::notes(Params::Reader params, Facts::Reader facts) {
  if (view(facts.getStatus()) != "running") return {};
  const auto title = fmt::format("container {} ({})", params.getVmid(), str(params.getName()));
  auto notes = waiting_notes(title, facts.getWaiting());
  if (facts.getUnseen().size() != 0)
    notes.push_back(fmt::format("whether {} has its mounts and devices is not known: {}", title,
                                str(facts.getUnseen())));
  if (const auto units = telling_units(facts.getFailed()); !units.empty())
    notes.push_back(fmt::format("in {} failed: {} (see `pct exec {} -- systemctl --failed`)", title,
                                fmt::join(units, ", "), params.getVmid()));
  return notes;
}

Result<void> GuestPower::apply(const Change& change, Host& host) {
  RELAB_ASSERT(change.how.size() == 3);
  RELAB_TRY(const auto vmid, parse_number<std::uint32_t>(change.how[1]));
  RELAB_TRY(const auto count, parse_number<std::uint32_t>(change.how[2]));
  const seconds patience(count);
  if (change.how[0] == "stop") return shut_down(host, vmid, patience);
  if (change.how[0] == "restart") RELAB_CHECK(shut_down(host, vmid, patience));
  return start(host, vmid, patience);
}

}  // namespace relab::agent::guests
