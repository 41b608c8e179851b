#include "agent/service/service.h"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/logger.h>
#include <systemd/sd-daemon.h>

#include "agent/kinds/kind.h"
#include "agent/service/machine.h"
#include "agent/service/report.h"
#include "common/base/file.h"
#include "common/base/version.h"
#include "common/wire/poll.h"

namespace relab::agent {

namespace {

constexpr std::size_t frame_size_max = std::size_t{1} << 20U;
constexpr auto tick = Millis(250);
constexpr auto idle = Millis(10'000);
/// Those of connections that are gone go with the next sending.
constexpr std::size_t sessions_max = 64;
constexpr auto farewell_time = Millis(1000);
constexpr auto progress_interval = Millis(1000);

Instant core_clock() { return Instant(boot_clock()); }

}  // namespace

Result<std::unique_ptr<Service>> Service::open(ServiceConfig config,
                                               std::shared_ptr<spdlog::logger> log) {
  RELAB_CHECK(make_private_folder(config.state_dir));
  RELAB_TRY(auto keys, load_or_make_keys(config.state_dir));
  RELAB_TRY(auto trust, Trust::load(config.state_dir));
  if (trust.empty())
    return fail(
        Fault::missing, "this agent obeys no controller yet",
        fmt::format("run `relab-agent enrol --state-dir {}` and give its code to `relab enrol`",
                    config.state_dir.string()));
  RELAB_TRY(auto role, RoleLimits::load(config.roles_dir, config.role));
  RELAB_TRY(auto journal, Journal::open(config.state_dir));
  std::unique_ptr<Service> service(
      new Service(std::move(config), std::move(log),
                  {std::move(keys), std::move(trust), std::move(role), std::move(journal)}));
  RELAB_CHECK(service->recover());
  auto* self = service.get();
  RELAB_TRY(auto server,
            Server::open(self->context_, {.endpoint = self->config_.endpoint,
                                          .curve_secret_z85 = self->keys_.curve_secret_z85(),
                                          .curve_public_z85 = crypto::z85(self->keys_.curve_key()),
                                          .admits = [self](std::string_view key) {
                                            return self->trust_.by_curve_key(key) != nullptr;
                                          }}));
  self->server_.emplace(std::move(server));
  return service;
}

Service::Service(ServiceConfig config, std::shared_ptr<spdlog::logger> log, Parts parts)
    : config_(std::move(config)),
      log_(std::move(log)),
      keys_(std::move(parts.keys)),
      trust_(std::move(parts.trust)),
      role_(std::move(parts.role)),
      journal_(std::move(parts.journal)),
      machine_id_(machine_id(keys_)),
      boot_id_(boot_id()),
      core_(config_.limits),
      workers_(config_.program_path) {
  randombytes_buf(nonce_.data(), nonce_.size());
}

Result<void> Service::recover() {
  if (journal_.lost()) log_->error("the journal was damaged; it was put aside and a new one begun");
  RELAB_TRY(const auto rows, journal_.held());
  for (const auto& row : rows) {
    const auto order = Message<schema::Order>::parse(row.order);
    if (!order)
      log_->error("the order of task {} cannot be read: {}", row.id.text(), order.error().what);
    const auto deadline = std::chrono::seconds(order ? order->reader().getDeadline() : 0);
    const auto state = order ? row.state : std::max(row.state, TaskState::running);
    log_->info("task {} was {} when the agent stopped", row.id.text(),
               row.state == TaskState::accepted  ? "waiting"
               : row.state == TaskState::running ? "running"
                                                 : "finished");
    feed(event::Recovered{.id = row.id, .state = state, .deadline = deadline});
  }
  return {};
}

bool Service::busy() const {
  return std::ranges::any_of(core_.held(), [](const auto& task) {
    return task.second.state != TaskState::finished || task.second.unstored;
  });
}

Millis Service::patience() const {
  if (core_.draining()) return tick;
  const bool soon = worn_ || busy();
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
  if (!quiet || !worn_ || busy()) return;
  // What the tasks used goes back to the machine, whose memory is for its guests.
  ::malloc_trim(0);
  worn_ = false;
}

Result<void> Service::run(const Signals& signals) {
  log_->info("relab-agent {} is ready on {} as '{}' in the role '{}' of the lab '{}'", version,
             config_.endpoint, config_.name, config_.role, trust_.lab());
  sd_notify(0, "READY=1");
  while (!leaving_) {
    wait(signals);
    if (const auto signal = signals.take()) take_signal(*signal);
    server_->admit();
    for (auto incoming = server_->receive(); incoming; incoming = server_->receive())
      take_frame(*incoming);
    for (auto& notice : workers_.take_notices()) take_notice(std::move(notice));
    feed(event::Ticked{});
    // Fed by the loop that serves the door and the journal: if that hangs, systemd restarts the
    // agent.
    sd_notify(0, "WATCHDOG=1");
  }
  take_leave();
  log_->info("relab-agent leaves; handshakes turned away: {}, frames not opened: {}",
             server_->turned_away(),
             turned_.unopened[0] + turned_.unopened[1] + turned_.unopened[2] + turned_.unopened[3]);
  return {};
}

void Service::take_leave() {
  const auto until = core_clock() + farewell_time;
  while (!sessions_.empty() && !core_.held().empty() && core_clock() < until) {
    std::array<zmq::pollitem_t, 2> items = {{{server_->frames_handle(), 0, ZMQ_POLLIN, 0},
                                             {server_->handshakes_handle(), 0, ZMQ_POLLIN, 0}}};
    wait_for(items, Millis(50));
    server_->admit();
    for (auto incoming = server_->receive(); incoming; incoming = server_->receive())
      take_frame(*incoming);
  }
}

void Service::take_signal(int signal) {
  if (signal == SIGHUP) return reload_trust();
  log_->info("told to stop by signal {}: running tasks have {} s to end", signal,
             config_.limits.drain_time.count());
  sd_notify(0, "STOPPING=1");
  feed(event::DrainAsked{});
}

void Service::reload_trust() {
  auto trust = Trust::load(config_.state_dir);
  if (!trust)
    return log_->error("the pinned controllers were not read anew: {}", trust.error().sentence());
  trust_ = std::move(*trust);
  std::erase_if(sessions_,
                [&](const Heard& session) { return trust_.by_curve_key(session.peer) == nullptr; });
  log_->info("read the pinned controllers anew: {} of them", trust_.controllers().size());
}

void Service::take_frame(const Incoming& incoming) {
  const auto* peer = trust_.by_curve_key(incoming.peer);
  if (peer == nullptr) {
    // Admitted once, revoked since: the connection lives on, what it says does not count.
    ++turned_.revoked;
    return;
  }
  const auto opening = open_frame(incoming.frame, frame_size_max,
                                  [&](const auto& key) { return key == peer->sign_key; });
  if (!opening.opened) {
    auto& count = turned_.unopened.at(static_cast<std::size_t>(opening.reason));
    if (++count == 1 || count % 1000 == 0)
      log_->warn("a frame of {} bytes was not opened: {} ({} so far)", incoming.frame.size(),
                 name(opening.reason), count);
    return;
  }
  remember(incoming);
  dispatch(*peer, *opening.opened, incoming.route);
}

void Service::remember(const Incoming& incoming) {
  if (std::ranges::find(sessions_, incoming.route, &Heard::route) != sessions_.end()) return;
  sessions_.push_back({.peer = incoming.peer, .route = incoming.route});
  if (sessions_.size() > sessions_max) sessions_.pop_front();
}

void Service::dispatch(const Party& peer, const Opened& opened, const std::string& route) {
  if (opened.is<schema::Order>()) return take_order(opened);
  if (const auto attach = opened.as<schema::Attach>())
    return take_attach(peer, attach->reader(), route);
  if (const auto ack = opened.as<schema::Ack>()) return take_ack(ack->reader());
  if (const auto cancel = opened.as<schema::Cancel>()) return take_cancel(cancel->reader());
  if (++turned_.unexpected == 1)
    log_->warn("a frame that an agent does not expect: {}", opened.type());
}

void Service::take_attach(const Party& peer, const schema::Attach::Reader& attach,
                          const std::string& route) {
  log_->info("the controller '{}' ({}) attached", peer.name, crypto::fingerprint(peer.sign_key));
  // To whoever asked, and nobody else: it answers a question. If it is gone, it will ask again.
  static_cast<void>(server_->send(route, sign(keys_, hello(attach)).bytes()).has_value());
  feed(event::Attached{});
}

Message<schema::Hello> Service::hello(const schema::Attach::Reader& attach) {
  Draft<schema::Hello> hello;
  hello->setChallenge(attach.getChallenge());
  hello->setNonce(blob(nonce_));
  hello->setName(config_.name);
  hello->setMachineId(machine_id_);
  hello->setBootId(boot_id_);
  hello->setVersion(std::string(version));
  hello->setRole(config_.role);
  hello->setKinds(role_.manifest().getKinds());
  hello->setTime(unix_millis(wall_clock()));
  hello->setUptime(static_cast<std::uint64_t>(boot_clock().count()));
  auto tasks = hello->initTasks(static_cast<unsigned>(core_.held().size()));
  unsigned i = 0;
  for (const auto& [id, task] : core_.held()) {
    tasks[i].setTask(blob(id.bytes));
    tasks[i++].setState(static_cast<schema::State>(task.state));
  }
  hello->setJournal(blob(journal_.identity()));
  hello->setFreeBytes(journal_.room().value_or(0));
  return std::move(hello).finish();
}

void Service::take_order(const Opened& opened) {
  auto verdict = check_order(opened, {.lab = trust_.lab(),
                                      .audience = keys_.sign_key(),
                                      .nonce = nonce_,
                                      .role = role_,
                                      .now = wall_clock()});
  if (const auto* denial = std::get_if<Denial>(&verdict)) {
    ++turned_.refused[denial->reason];
    log_->warn("an order was refused: {}", denial->what);
    return send(receipt({.task = denial->task_id,
                         .order_digest = denial->order_digest,
                         .refusal = denial->reason,
                         .what = denial->what}));
  }
  admission_ = std::move(std::get<Admission>(verdict));
  const auto deadline = std::chrono::seconds(admission_->order.reader().getDeadline());
  auto known = journal_.find(admission_->id);
  if (!known) {
    perform(effect::Answer{admission_->id, schema::Refusal::STORE_FAILED, schema::State::UNSET,
                           known.error().sentence()});
  } else {
    feed(event::Admitted{.id = admission_->id,
                         .task_digest = admission_->task_digest,
                         .deadline = deadline,
                         .known = std::move(*known)});
  }
  admission_.reset();
}

void Service::take_ack(const schema::Ack::Reader& ack) {
  const auto id = TaskId::from(view(ack.getTaskId()));
  const auto row =
      id ? journal_.find(*id) : Result<std::optional<JournalRow>>(std::optional<JournalRow>());
  if (!row || !*row || (*row)->report.empty()) return;
  if (crypto::equal(report_digest((*row)->report), view(ack.getReportDigest())))
    feed(event::Acknowledged{*id});
}

void Service::take_cancel(const schema::Cancel::Reader& cancel) {
  const auto id = TaskId::from(view(cancel.getTaskId()));
  if (!id || !crypto::equal(view(cancel.getNonce()), nonce_)) return;
  log_->info("task {} is to be cancelled", id->text());
  feed(event::CancelAsked{*id});
}

void Service::take_notice(Notice notice) {
  if (auto* end = std::get_if<TaskEnd>(&notice)) {
    const auto id = end->id;
    log_->info("task {} ended: {}{}", id.text(), words_of(end->outcome),
               end->failure.what.empty() ? "" : ", " + end->failure.sentence());
    told_.erase(id);
    ends_.insert_or_assign(id, std::move(*end));
    feed(event::Ended{id});
    worn_ = true;
    return;
  }
  const auto& progress = std::get<TaskProgress>(notice);
  auto& told = told_[progress.id];
  if (core_clock() - told < progress_interval) return;
  told = core_clock();
  Draft<schema::Progress> draft;
  draft->setTaskId(blob(progress.id.bytes));
  draft->setDone(progress.steps);
  draft->setUnit("steps");
  draft->setWhat(progress.what);
  send(std::move(draft).finish());
}

void Service::send_frame(ByteView frame) {
  for (auto session = sessions_.begin(); session != sessions_.end();) {
    const auto sent = server_->send(session->route, frame);
    const bool gone = !sent && sent.error().fault == Fault::unreachable;
    session = gone ? sessions_.erase(session) : std::next(session);
  }
}

}  // namespace relab::agent
