#include "controller/rehearsal/actor.h"

#include <spdlog/sinks/null_sink.h>

#include "agent/host/observed_host.h"
#include "agent/worker/ending.h"

namespace relab::rehearsal {

namespace {

/// As long as something has just happened; and while a task goes on for hours.
constexpr auto tick_interval = Millis(1000);
constexpr auto long_interval = Millis(30'000);
constexpr auto lively = Millis(120'000);

std::shared_ptr<spdlog::logger> silence() {
  static const auto logger = std::make_shared<spdlog::logger>(
      "rehearsal", std::make_shared<spdlog::sinks::null_sink_st>());
  return logger;
}

void ignore(const agent::Advance& /*advance*/, const std::string& /*for_person*/) {}

}  // namespace

Actor::Actor(Part part, const std::string& role)
    : name_(std::move(part.name)),
      keys_(std::move(part.keys)),
      timeline_(part.timeline),
      machine_(part.machine),
      fate_(part.fate),
      send_(std::move(part.send)) {
  identity_ = state_identity(keys_, {.role = schema::Role::AGENT,
                                     .name = name_,
                                     .machine_id = machine_.machine_id(),
                                     .agent_role = role});
}

Result<std::unique_ptr<Actor>> Actor::make(Part part) {
  RELAB_TRY(auto journal, agent::Journal::open(part.folder));
  RELAB_TRY(auto keys, crypto::Keys::from(part.keys.secret().view()));
  agent::Self self{.name = part.name,
                   .machine_id = part.machine.machine_id(),
                   .boot_id = "rehearsal",
                   .keys = std::move(keys),
                   .trust = std::move(part.trust),
                   .role = std::move(part.role)};
  std::unique_ptr<Actor> actor(new Actor(std::move(part), self.role.name()));
  actor->journal_.emplace(std::move(journal));
  actor->servant_.emplace(std::move(self), agent::CoreLimits{}, *actor->journal_, *actor, *actor,
                          silence());
  RELAB_CHECK(actor->servant_->recover(actor->timeline_.both()));
  actor->tick();
  return actor;
}

void Actor::at(Instant when, std::function<void()> what) {
  timeline_.at(when, [there = std::weak_ptr(there_), what = std::move(what)] {
    if (!there.expired()) what();
  });
}

void Actor::tick() {
  servant_->tick(timeline_.both());
  if (!servant_->busy()) return;
  const bool quiet = timeline_.now() - stirred_ > lively;
  at(timeline_.now() + (quiet ? long_interval : tick_interval), [this] { tick(); });
}

void Actor::take(const agent::Incoming& incoming) {
  stirred_ = timeline_.now();
  const bool was_idle = !servant_->busy();
  servant_->take_frame(incoming, timeline_.both());
  if (was_idle) tick();
}

Result<void> Actor::send(const std::string& route, ByteView frame) {
  return send_(route, frame, tone_);
}

void Actor::tell(agent::Notice notice) {
  stirred_ = timeline_.now();
  servant_->take_notice(std::move(notice), timeline_.both());
}

void Actor::tell_of(const TaskId& id, const std::vector<Sight>& sights) {
  for (const auto& sight : sights)
    at(sight.when, [this, id, sight] {
      const auto working = working_.find(id);
      if (working == working_.end() || working->second.stopped) return;
      tone_ = Tone::murmur;
      servant_->take_notice(
          agent::TaskProgress{.id = id, .advance = sight.advance, .for_person = sight.for_person},
          timeline_.both());
      tone_ = Tone::news;
    });
}

void Actor::end_at(agent::TaskEnd end) {
  const auto id = end.id;
  const auto when = end.ended;
  auto shared = std::make_shared<agent::TaskEnd>(std::move(end));
  at(when, [this, id, shared] {
    if (working_.erase(id) != 0) tell(std::move(*shared));
  });
}

/// Not at once: who starts it has not done with it yet.
void Actor::start(const TaskId& id, agent::Job job) {
  working_[id] = {.began = timeline_.now()};
  auto shared = std::make_shared<agent::Job>(std::move(job));
  at(timeline_.now(), [this, id, shared] {
    if (working_.contains(id)) carry_out(id, *shared);
  });
}

void Actor::carry_out(const TaskId& id, const agent::Job& job) {
  machine_.hand(job);
  const auto began = timeline_.now();
  const auto order = job.order.reader();
  auto& host = machine_.host_at(began);
  auto life = fate_.begins(name_, order);
  Sights sights;
  const auto ask = [&](const agent::Waiting& waiting) {
    if (!waiting.for_person.empty()) fate_.asks(order, waiting.for_person);
    machine_.ask(waiting);
  };
  const auto advance = [&](const agent::Advance& how, const std::string& for_person) {
    host.progress(how);
    const auto real = machine_.in_real_bytes(how);
    sights.add({.when = host.now(), .advance = real, .for_person = for_person});
    if (fate_.advances(name_, order, real)) life.end();
  };
  TaskHost in_time(
      host, life,
      {.until = began + std::chrono::seconds(order.getDeadline()), .ask = ask, .keys = &keys_});
  TaskHost afterwards(host, life, {.ask = ask, .keys = &keys_});
  agent::ObservedHost observed(in_time, advance);
  agent::ObservedHost rescue(afterwards, ignore);
  auto work = agent::carry_out(
      order, {.host = observed, .rescue = rescue},
      [&](const Message<schema::Facts>& before) -> Result<void> {
        const auto bytes = before.bytes();
        armed_.reset();
        tell(agent::TaskArming{.id = id, .before = Bytes(bytes.begin(), bytes.end())});
        if (armed_) return std::move(*armed_);
        return fail(Fault::damaged, "the way back was not stored");
      });
  tell_of(id, sights.all());
  if (life.over()) return fate_.dies(name_, host.now());
  agent::TaskEnd end{.id = id, .started = began, .ended = host.now(), .log = observed.take_log()};
  end.unconfirmed = work.unconfirmed;
  end.stuck = work.stuck;
  const bool late = end.ended - began >= std::chrono::seconds(order.getDeadline());
  fate_.ends(name_, order, late ? schema::Outcome::CANCELLED : work.outcome, work.failure.what);
  agent::take_work(std::move(work),
                   late ? std::optional(agent::StopReason::out_of_time) : working_[id].stopped,
                   end);
  end_at(std::move(end));
}

/// What it did is done; that it ended by itself counts for nothing then.
void Actor::stop(const TaskId& id, agent::StopReason reason) {
  const auto working = working_.find(id);
  if (working == working_.end() || working->second.stopped) return;
  working->second.stopped = reason;
  agent::TaskEnd end{.id = id, .started = working->second.began, .ended = timeline_.now()};
  agent::take_work({.outcome = schema::Outcome::CANCELLED}, reason, end);
  end_at(std::move(end));
}

void Actor::armed(const TaskId& /*id*/, Result<void> stored) { armed_ = std::move(stored); }

void Actor::review(const TaskId& id, Message<schema::Order> order) {
  working_[id] = {.began = timeline_.now()};
  auto shared = std::make_shared<Message<schema::Order>>(std::move(order));
  at(timeline_.now(), [this, id, shared] {
    const auto began = timeline_.now();
    auto& host = machine_.host_at(began);
    auto work = agent::review(shared->reader(), host);
    agent::TaskEnd end{.id = id, .started = began, .ended = host.now()};
    end.unconfirmed = work.unconfirmed;
    agent::take_work(std::move(work), {}, end);
    end_at(std::move(end));
  });
}

void Actor::undo(const TaskId& id, agent::Undoing undoing) {
  working_[id] = {.began = timeline_.now()};
  auto shared = std::make_shared<agent::Undoing>(std::move(undoing));
  at(timeline_.now(), [this, id, shared] {
    const auto began = timeline_.now();
    auto& host = machine_.host_at(began);
    const auto undone = agent::undo(shared->order.reader(), shared->before.reader(), host);
    agent::TaskEnd end{.id = id,
                       .started = began,
                       .ended = host.now(),
                       .outcome = shared->outcome,
                       .failure = {.fault = Fault::cancelled, .what = shared->why + "; undone"}};
    if (!undone) {
      end.stuck = true;
      end.failure = {.fault = Fault::damaged, .what = undone.error().sentence()};
    }
    end_at(std::move(end));
  });
}

}  // namespace relab::rehearsal
