#include "agent/service/service.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <fmt/format.h>
#include <malloc.h>
#include <numeric>
#include <spdlog/logger.h>
#include <systemd/sd-daemon.h>

#include "agent/service/machine.h"
#include "common/base/file.h"
#include "common/base/version.h"
#include "common/wire/poll.h"

namespace relab::agent {

namespace {

Result<FileLock> lock_state(const std::filesystem::path& state_dir) {
  auto lock = FileLock::take(state_dir / "lock", "relab-agent run");
  if (!lock && lock.error().fault == Fault::busy)
    return fail(
        Fault::busy,
        fmt::format("{} is served by another agent: {}", state_dir.string(), lock.error().what),
        "one agent a state directory: stop that one first, or give --state-dir");
  return lock;
}

constexpr auto tick = Millis(250);
constexpr auto idle = Millis(10'000);
constexpr auto farewell_time = Millis(1000);
constexpr auto door_interval = Millis(1000);

/// The kernel says so of a program that was renamed over or removed.
bool program_was_replaced() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error).string();
  return !error && program.ends_with(" (deleted)");
}

}  // namespace

Result<std::unique_ptr<Service>> Service::open(ServiceConfig config,
                                               std::shared_ptr<spdlog::logger> log) {
  RELAB_CHECK(make_private_folder(config.state_dir));
  RELAB_TRY(auto lock, lock_state(config.state_dir));
  RELAB_TRY(auto keys, load_or_make_keys(config.state_dir));
  RELAB_TRY(auto trust, Trust::load(config.state_dir));
  if (trust.empty())
    return fail(
        Fault::missing, "this agent obeys no controller yet",
        fmt::format("run `relab-agent enrol --state-dir {}` and give its code to `relab enrol`",
                    config.state_dir.string()));
  RELAB_TRY(auto role, RoleLimits::load(config.roles_dir, config.role));
  RELAB_TRY(auto journal, Journal::open(config.state_dir));
  auto machine = machine_id(keys);
  Self self{.name = config.name,
            .machine_id = std::move(machine),
            .boot_id = boot_id(),
            .keys = std::move(keys),
            .trust = std::move(trust),
            .role = std::move(role)};
  std::unique_ptr<Service> service(
      new Service(std::move(config), std::move(log), std::move(lock), std::move(journal)));
  RELAB_CHECK(service->begin(std::move(self)));
  return service;
}

Service::Service(ServiceConfig config, std::shared_ptr<spdlog::logger> log, FileLock lock,
                 Journal journal)
    : config_(std::move(config)),
      log_(std::move(log)),
      lock_(std::move(lock)),
      journal_(std::move(journal)),
      roles_(roles_installed_in(config_.roles_dir).value_or(std::vector<std::string>())),
      workers_(config_.program_path, config_.state_dir / "parcels") {}

Result<void> Service::begin(Self self) {
  const auto secret = self.keys.curve_secret_z85();
  const auto key = crypto::z85(self.keys.curve_key());
  auto admits = [this, trust = self.trust](std::string_view peer) {
    return (servant_ ? servant_->trust() : trust).by_curve_key(peer) != nullptr;
  };
  RELAB_TRY(auto server, Server::prepare(context_, {.endpoint = config_.endpoint,
                                                    .curve_secret_z85 = secret,
                                                    .curve_public_z85 = key,
                                                    .admits = std::move(admits)}));
  server_.emplace(std::move(server));
  if (const auto opened = server_->listen(port_patience); !opened) {
    RELAB_TRY(const bool must_go_back, leads_back());
    if (opened.error().fault == Fault::damaged || !must_go_back)
      return tl::unexpected(opened.error());
    shut_ = opened.error();
  }
  servant_.emplace(std::move(self), config_.limits, journal_, *server_, workers_, log_);
  return servant_->recover(now_of_system());
}

/// Whether the journal has a change that may have to be undone: perhaps the very one that took away
/// what the agent listens on.
Result<bool> Service::leads_back() {
  RELAB_TRY(const auto rows, journal_.held());
  return std::ranges::any_of(rows, [](const auto& row) {
    return !row.before.empty() &&
           (row.state == TaskState::running || row.state == TaskState::unconfirmed);
  });
}

Result<void> Service::tend_door() {
  const auto now = now_of_system().steady;
  if (!shut_ || now < retry_door_) return {};
  retry_door_ = now + door_interval;
  const auto opened = server_->listen(Millis(0));
  if (opened) {
    shut_.reset();
    tell_ready();
    return {};
  }
  RELAB_TRY(const bool must_go_back, leads_back());
  if (opened.error().fault == Fault::damaged || !must_go_back)
    return tl::unexpected(opened.error());
  return {};
}

void Service::tell_ready() {
  log_->info("relab-agent {} is ready on {} as '{}' in the role '{}' of the lab '{}'", version,
             config_.endpoint, config_.name, servant_->role().name(), servant_->trust().lab());
}

Millis Service::patience() const {
  if (shut_ || servant_->core().draining()) return tick;
  const bool soon = worn_ || servant_->busy();
  std::uint64_t watchdog = 0;
  if (sd_watchdog_enabled(0, &watchdog) <= 0) return soon ? tick : idle;
  return std::min(soon ? tick : idle, Millis(watchdog / 2000));
}

void Service::wait(const Signals& signals) {
  std::array<zmq::pollitem_t, 4> items = {{{server_->frames_handle(), 0, ZMQ_POLLIN, 0},
                                           {server_->handshakes_handle(), 0, ZMQ_POLLIN, 0},
                                           {nullptr, workers_.notices_fd(), ZMQ_POLLIN, 0},
                                           {nullptr, signals.fd(), ZMQ_POLLIN, 0}}};
  const bool quiet = !wait_for(items, patience());
  if (!quiet || !worn_ || servant_->busy()) return;
  // What the tasks used goes back to the machine, whose memory is for its guests.
  ::malloc_trim(0);
  worn_ = false;
}

void Service::take_frames() {
  server_->admit();
  for (auto incoming = server_->receive(); incoming; incoming = server_->receive())
    servant_->take_frame(*incoming, now_of_system());
}

void Service::take_notices() {
  for (auto& notice : workers_.take_notices()) {
    servant_->take_notice(std::move(notice), now_of_system());
    worn_ = true;
  }
}

Result<Leaving> Service::run(const Signals& signals) {
  if (shut_)
    log_->warn("nobody can reach this agent while a change may have to be undone: {}",
               shut_->sentence());
  else
    tell_ready();
  sd_notify(0, "READY=1");
  while (!servant_->leaving()) {
    RELAB_CHECK(tend_door());
    wait(signals);
    if (const auto signal = signals.take()) take_signal(*signal);
    take_frames();
    take_notices();
    servant_->tick(now_of_system());
    make_way();
    // Fed by the loop that serves the door and the journal: if that hangs, systemd restarts the
    // agent.
    sd_notify(0, "WATCHDOG=1");
  }
  take_leave();
  const auto& unopened = servant_->turned().unopened;
  log_->info("relab-agent leaves; handshakes turned away: {}, frames not opened: {}",
             server_->turned_away(),
             std::accumulate(unopened.begin(), unopened.end(), std::uint64_t{0}));
  return replaced_ ? Leaving::replaced : Leaving::told;
}

void Service::make_way() {
  if (replaced_ && !servant_->busy()) servant_->drain(now_of_system());
}

void Service::take_leave() {
  const auto until = now_of_system().steady + farewell_time;
  while (servant_->awaits_acknowledgement() && now_of_system().steady < until) {
    std::array<zmq::pollitem_t, 2> items = {{{server_->frames_handle(), 0, ZMQ_POLLIN, 0},
                                             {server_->handshakes_handle(), 0, ZMQ_POLLIN, 0}}};
    wait_for(items, Millis(50));
    take_frames();
  }
}

void Service::take_signal(int signal) {
  if (signal == SIGHUP) {
    reload_trust();
    reload_role();
    const auto why = successor();
    if (replaced_ || why.empty()) return;
    replaced_ = true;
    return log_->info("{}: it takes over once no task runs", why);
  }
  replaced_ = false;
  log_->info("told to stop by signal {}: running tasks have {} s to end", signal,
             config_.limits.drain_time.count());
  sd_notify(0, "STOPPING=1");
  servant_->drain(now_of_system());
}

std::string_view Service::successor() const {
  if (program_was_replaced()) return "another program of this name was installed";
  if (config_.limited_from_outside && limits_are_others())
    return "other roles were installed, and an agent within their limits is to be started";
  return {};
}

/// Without any role nothing is permitted, whatever the limits; and no agent could start.
bool Service::limits_are_others() const {
  const auto now = roles_installed_in(config_.roles_dir);
  return now && *now != roles_;
}

void Service::reload_trust() {
  auto trust = Trust::load(config_.state_dir);
  if (!trust)
    return log_->error("the pinned controllers were not read anew: {}", trust.error().sentence());
  log_->info("read the pinned controllers anew: {} of them", trust->controllers().size());
  servant_->replace_trust(std::move(*trust));
}

void Service::reload_role() {
  auto role = RoleLimits::load(config_.roles_dir, config_.role);
  if (role)
    log_->info("read the roles anew: {}", role->name());
  else
    log_->error("the roles cannot be read, nothing is permitted any more: {}",
                role.error().sentence());
  servant_->replace_role(role ? std::move(*role) : RoleLimits());
}

}  // namespace relab::agent
