#include "tests/simulation/sim_agent.h"

#include <fmt/format.h>
#include <spdlog/sinks/null_sink.h>

#include "agent/service/report.h"

namespace relab::sim {

namespace {

constexpr auto role =
    R"({"name": "sim", "kinds": ["ping", "auditDisks", "wipeDisk", "ipAddresses"]})";

template <typename T>
T need(Result<T> result) {
  if (!result) throw std::logic_error(result.error().sentence());
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::shared_ptr<spdlog::logger> silence() {
  static const auto logger =
      std::make_shared<spdlog::logger>("sim", std::make_shared<spdlog::sinks::null_sink_st>());
  return logger;
}

}  // namespace

SimAgent::SimAgent(const World& world, std::size_t index, crypto::Keys keys, Party controller,
                   std::optional<Party> stranger)
    : disk(world.chance, world.watch),
      world_(world),
      index_(index),
      keys_(std::move(keys)),
      controller_(std::move(controller)),
      stranger_(std::move(stranger)) {}

Now SimAgent::now() const {
  const auto wall = world_.plant == Plant::ages_ignored ? world_.timeline.now() : true_wall();
  return {.wall = wall, .steady = world_.timeline.now()};
}

agent::Self SimAgent::self() const {
  std::vector<Party> pinned = {controller_};
  if (stranger_ && world_.plant == Plant::strangers_trusted) pinned.push_back(*stranger_);
  return {.name = fmt::format("a{}", index_),
          .machine_id = fmt::format("machine-{}", index_),
          .boot_id = fmt::format("boot-{}", boot_),
          .keys = need(crypto::Keys::from(keys_.secret().view())),
          .trust = agent::Trust::of(lab, std::move(pinned)),
          .role = need(agent::RoleLimits::parse(role))};
}

void SimAgent::live(const std::function<void()>& act) {
  if (!servant_) return;
  try {
    act();
    check_against_journal();
  } catch (const Crash&) {
    die(world_.chance.one_in(2));
  }
}

void SimAgent::start() {
  if (servant_) return;
  ++life_;
  working_.clear();
  deeds_.clear();
  seen_.clear();
  sent_.clear();
  open_journal();
  if (journal_) serve();
}

/// On a full disk it does not start, and is started again later.
void SimAgent::open_journal() {
  const SimJournal::Place place{.disk = disk,
                                .memory = memory_,
                                .watch = world_.watch,
                                .plant = world_.plant,
                                .agent = index_};
  try {
    if (auto journal = SimJournal::open(place)) journal_ = std::move(*journal);
  } catch (const Crash&) {
    bury(world_.chance.one_in(2));
  }
}

void SimAgent::serve() {
  if (world_.plant == Plant::same_session) draw_everything_from(index_);
  servant_.emplace(self(), agent::CoreLimits{.running_max = 3, .held_max = 32}, *journal_, *this,
                   *this, silence());
  if (world_.plant == Plant::same_session) draw_everything_from(world_.chance.word());
  world_.network.line(index_).agent_lives = true;
  live([this] { static_cast<void>(servant_->recover(now()).has_value()); });
}

void SimAgent::die(bool power) {
  if (!servant_) return;
  ++world_.watch.counts.crashes;
  world_.network.agent_dies(index_);
  ++life_;
  if (power) ++boot_;
  bury(power);
}

void SimAgent::bury(bool power) {
  disk.files().die();
  servant_.reset();
  journal_.reset();
  disk.left_by_the_dead(power);
}

void SimAgent::empty_journal() {
  if (servant_) return;
  disk.empty();
  memory_.doubt.reset();
  world_.watch.journal_lost(index_);
}

void SimAgent::take(const agent::Incoming& incoming) {
  live([&] { servant_->take_frame(incoming, now()); });
}

void SimAgent::tick() {
  live([&] { servant_->tick(now()); });
  if (servant_ && servant_->leaving()) die(false);
}

void SimAgent::leave() {
  live([&] { servant_->drain(now()); });
}

Result<void> SimAgent::send(const std::string& route, ByteView frame) {
  const bool delivers_once = world_.plant == Plant::delivered_once;
  const bool releases_early = world_.plant == Plant::released_early;
  const auto reported = delivers_once || releases_early ? journal_->owner(frame) : std::nullopt;
  if (delivers_once && reported && !sent_.insert(*reported).second) return {};
  auto sent = world_.network.to_controller(index_, route, frame);
  if (releases_early && sent && reported)
    static_cast<void>(journal_->acknowledge(*reported).has_value());
  return sent;
}

std::string SimAgent::serial() const { return fmt::format("D{}", index_); }

Message<schema::Facts> SimAgent::disks() const {
  Draft<schema::Facts> facts;
  auto audit = facts->initAuditDisks();
  auto disks = audit.initDisks(1);
  disks[0].setName("sdb");
  disks[0].setSerial(serial());
  if (disk_used_) {
    auto users = audit.initUsers(1);
    users[0].setDisk("sdb");
    users[0].setDevice("sdb1");
    users[0].setKind("zfs");
    users[0].setName("tank");
  }
  return std::move(facts).finish();
}

void SimAgent::begin(const TaskId& id, const Message<schema::Order>& order) {
  const auto reader = order.reader();
  world_.watch.begun(index_, id, str(reader.getStep()));
  take_up(id);
  if (reader.getTask().isAuditDisks()) seen_.insert_or_assign(id, disks());
  if (!reader.getTask().isWipeDisk()) return;
  world_.watch.destroys(index_, reader, true_wall());
  deeds_.insert(id);
}

void SimAgent::start(const TaskId& id, agent::Job job) {
  const auto& order = job.order;
  begin(id, order);
  if (order.reader().getTask().isIpAddresses())
    return ask(id, str(order.reader().getTask().getIpAddresses().getAddresses()[0]));
  if (world_.plant == Plant::worker_lies && world_.chance.one_in(4))
    return end(id, schema::Outcome::SUCCEEDED, {});
  if (work.endless != 0 && world_.chance.one_in(work.endless)) return;
  const bool fails = work.failing != 0 && world_.chance.one_in(work.failing);
  const auto life = life_;
  world_.timeline.after(world_.chance.between(Millis(10), Millis(4000)), [this, id, fails, life] {
    if (life != life_ || !working_.contains(id)) return;
    if (!fails) world_.watch.completed(id);
    end(id, fails ? schema::Outcome::FAILED : schema::Outcome::SUCCEEDED,
        {.fault = Fault::damaged, .what = fails ? "it did not work" : ""});
  });
}

void SimAgent::ask(const TaskId& id, const std::string& wish) {
  const auto life = life_;
  wishes_[id] = wish;
  world_.timeline.after(world_.chance.between(Millis(10), Millis(2000)), [this, id, life, wish] {
    if (life != life_ || !working_.contains(id)) return;
    if (address_ == wish) {
      world_.watch.relied_on(index_, id);
      world_.watch.completed(id);
      return end(id, schema::Outcome::SUCCEEDED, {});
    }
    Draft<schema::Facts> before;
    before->initIpAddresses().setInterface(address_);
    const auto facts = std::move(before).finish();
    const auto bytes = facts.bytes();
    agent::TaskArming arming{.id = id, .before = Bytes(bytes.begin(), bytes.end())};
    live([&] { servant_->take_notice(std::move(arming), now()); });
  });
}

void SimAgent::armed(const TaskId& id, Result<void> stored) {
  if (!stored) return end(id, schema::Outcome::FAILED, stored.error());
  const auto life = life_;
  world_.timeline.after(world_.chance.between(Millis(1), Millis(1000)), [this, id, life] {
    if (life != life_ || !working_.contains(id)) return;
    world_.watch.applied(index_, id, world_.timeline.now());
    address_ = wishes_[id];
    addressed_by_ = id;
    if (work.cutting != 0 && world_.chance.one_in(work.cutting)) {
      cut_by_ = id;
      world_.network.cut(index_);
    }
    end(id, schema::Outcome::SUCCEEDED, {}, Rest::unconfirmed);
  });
}

void SimAgent::take_addresses_off() {
  address_ = "none";
  if (addressed_by_) world_.watch.altered(*addressed_by_);
}

void SimAgent::review(const TaskId& id, Message<schema::Order> order) {
  take_up(id);
  if (world_.plant == Plant::review_skipped)
    return end(id, schema::Outcome::SUCCEEDED, {}, Rest::unconfirmed);
  const auto wish = str(order.reader().getTask().getIpAddresses().getAddresses()[0]);
  const auto life = life_;
  world_.timeline.after(world_.chance.between(Millis(1), Millis(1000)), [this, id, life, wish] {
    if (life != life_ || !working_.contains(id)) return;
    world_.watch.reviewed(id);
    if (address_ == wish) return end(id, schema::Outcome::SUCCEEDED, {}, Rest::unconfirmed);
    end(id, schema::Outcome::FAILED, {.fault = Fault::conflict, .what = "it is not so any more"});
  });
}

void SimAgent::undo(const TaskId& id, agent::Undoing undoing) {
  take_up(id);
  const auto life = life_;
  const auto shared = std::make_shared<agent::Undoing>(std::move(undoing));
  world_.timeline.after(world_.chance.between(Millis(1), Millis(1000)), [this, id, life, shared] {
    if (life == life_) end_undo(id, *shared);
  });
}

void SimAgent::end_undo(const TaskId& id, const agent::Undoing& undoing) {
  const Error failure{.fault = Fault::cancelled, .what = undoing.why};
  if (work.sticking != 0 && world_.chance.one_in(work.sticking))
    return end(id, undoing.outcome, failure,
               world_.plant == Plant::undo_forgotten ? Rest::settled : Rest::stuck);
  address_ = str(undoing.before.reader().getIpAddresses().getInterface());
  world_.watch.undone(id);
  if (cut_by_ == id) world_.network.heal(index_);
  end(id, undoing.outcome, failure);
}

void SimAgent::take_up(const TaskId& id) {
  working_.try_emplace(id, now().wall);
  jobs_[id] = ++last_job_;
}

void SimAgent::stop(const TaskId& id, agent::StopReason reason) {
  const auto life = life_;
  const auto job = jobs_[id];
  world_.timeline.after(world_.chance.between(Millis(1), Millis(500)),
                        [this, id, life, job, reason] {
                          // It may have come to its end by itself, and another one of the same task
                          // have begun.
                          if (life != life_ || !working_.contains(id) || jobs_[id] != job) return;
                          end(id,
                              reason == agent::StopReason::cancelled ? schema::Outcome::CANCELLED
                                                                     : schema::Outcome::FAILED,
                              {.fault = Fault::cancelled, .what = "stopped"});
                        });
}

void SimAgent::end(const TaskId& id, schema::Outcome outcome, const Error& failure, Rest rest) {
  const auto life = life_;
  // As by a thread of its own: never within the call that started it.
  world_.timeline.after(Millis(0), [this, id, outcome, failure, rest, life] {
    const auto began = working_.find(id);
    if (life != life_ || began == working_.end()) return;
    agent::TaskEnd ended{.id = id,
                         .started = began->second,
                         .ended = now().wall,
                         .outcome = outcome,
                         .failure = failure,
                         .unconfirmed = rest == Rest::unconfirmed,
                         .stuck = rest == Rest::stuck};
    if (deeds_.erase(id) != 0) world_.watch.destroyed(index_);
    if (const auto seen = seen_.find(id); seen != seen_.end()) {
      if (outcome == schema::Outcome::SUCCEEDED) ended.facts = std::move(seen->second);
      seen_.erase(seen);
    }
    working_.erase(began);
    live([&] { servant_->take_notice(std::move(ended), now()); });
  });
}

/// What the core holds is what replaying the journal gives.
void SimAgent::check_against_journal() const {
  if (world_.plant != Plant::none) return;
  const auto& states = journal_->states();
  const auto& held = servant_->core().held();
  for (const auto& [id, state] : states) {
    const auto task = held.find(id);
    // A disk that takes nothing holds up neither a report nor the way back.
    const auto is_late = [state = state](const agent::Core::Held& it) {
      return it.unstored || (it.undoing && state == agent::TaskState::unconfirmed);
    };
    if (task == held.end() || (task->second.state != state && !is_late(task->second)))
      throw Violation(
          fmt::format("agent {} and its journal differ about task {}", index_, id.text()));
  }
  if (states.size() != held.size())
    throw Violation(
        fmt::format("agent {} holds {} tasks, its journal {}", index_, held.size(), states.size()));
}

}  // namespace relab::sim
