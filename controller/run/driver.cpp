#include "controller/run/driver.h"

#include <algorithm>
#include <fmt/format.h>

#include "controller/run/resuming.h"
#include "controller/run/sealing.h"

namespace relab::controller {

namespace {

constexpr auto still_interval = Millis(10'000);
/// How long an order is good for, by the agent's clock.
constexpr auto order_validity = std::chrono::minutes(10);
constexpr auto skew_to_tell = Millis(30'000);

}  // namespace

Driver::Driver(DriverConfig config, Book& book, const crypto::Keys& keys, Exchange& exchange,
               Narrator& narrator)
    : config_(std::move(config)),
      book_(book),
      keys_(keys),
      exchange_(exchange),
      narrator_(narrator) {}

Driver::~Driver() = default;

Result<void> Driver::connect() {
  for (const auto& name : engine_->needed_agents()) {
    const auto agent = book_.state().agents().find(name);
    if (agent == book_.state().agents().end()) {
      RELAB_CHECK(feed(event::AgentAbsent{
          .agent = name,
          .why = fmt::format("no agent '{0}' is enrolled: run `relab-agent enrol` there and "
                             "`relab enrol {0}` here",
                             name)}));
      continue;
    }
    sessions_[name] = std::make_unique<Session>(exchange_, agent->second, keys_, config_.lab);
  }
  return {};
}

Result<void> Driver::begin(const RunId& run, PhasePlan plan, const Now& now) {
  now_ = now;
  run_ = run;
  started_ = told_ = now.steady;
  const auto* record = book_.state().run(run);
  RELAB_ASSERT(record != nullptr);
  mode_ = record->check ? schema::Mode::CHECK : schema::Mode::APPLY;
  const auto is_guarded = [](const auto& track) {
    return std::ranges::any_of(track, &PlannedStep::guarded);
  };
  if (std::ranges::any_of(plan.tracks, is_guarded)) {
    RELAB_TRY(lab_, Message<schema::Lab>::parse(record->lab));
    RELAB_TRY(const auto phase, compile_phase(lab_->reader(), record->phase));
    plan_digest_ = plan_digest(phase);
  }
  // Before it is known which steps have succeeded.
  RELAB_CHECK(take_planted_before());
  engine_ = std::make_unique<Engine>(
      RunPlan{.phase = std::move(plan),
              .resumed = resumed_steps(book_.state(), run),
              .cancelled = record->cancelled,
              .collect_only = config_.collect_only,
              .patience = config_.patience},
      [this] { return TaskId::make(now_.wall); },
      [this](const PlannedStep& step) { return clear_step(step).clearance; }, started_);
  return connect();
}

Result<std::optional<RunEnd>> Driver::step(const Now& now) {
  now_ = now;
  if (!engine_->done()) RELAB_CHECK(tend_all());
  tell_changes();
  if (engine_->done()) return std::optional(RunEnd::done);
  if (out_of_patience()) return std::optional(RunEnd::stalled);
  if (now.steady - told_ >= still_interval) {
    told_ = now.steady;
    narrator_.still_waiting(*engine_, now.steady - started_);
  }
  return std::optional<RunEnd>();
}

void Driver::show_ledger(const Now& now) {
  for (auto& [name, session] : sessions_)
    if (compared_.contains(name) && session->up()) {
      show_ledger(*session);
      session->greet(now);  // once it answers, it has seen it
    }
}

void Driver::cancel_unwanted(Session& session) {
  for (const auto& id : session.greeting()->held) {
    const auto task = book_.state().tasks().find(id);
    if (task != book_.state().tasks().end() && !task->second.open() && !task->second.evidence)
      send_cancel(session, id);
  }
}

void Driver::send_cancel(Session& session, const TaskId& id) {
  Draft<schema::Cancel> cancel;
  cancel->setTaskId(blob(id.bytes));
  cancel->setNonce(blob(session.greeting()->nonce));
  static_cast<void>(session.send(std::move(cancel).finish()).has_value());
}

void Driver::show_ledger(Session& session) {
  const auto& checkpoint = book_.state().checkpoint();
  if (!checkpoint.empty()) static_cast<void>(session.send_frame(checkpoint).has_value());
}

bool Driver::ledger_was_shown(const Now& now) {
  bool all = true;
  for (auto& [name, session] : sessions_) {
    session->tend(now);
    // What else comes now comes again at the next hello.
    while (session->receive(now)) {
    }
    all = all && (session->greeting() || !session->up());
  }
  return all;
}

Result<void> Driver::tend_all() {
  for (auto& [name, session] : sessions_) {
    if (session->tend(now_)) {
      narrator_.agent_down(name, session->trouble());
      RELAB_CHECK(feed(event::AgentDown{name}));
    }
    RELAB_CHECK(take_frames(*session));
  }
  return feed(event::Ticked{});
}

Result<void> Driver::take_frames(Session& session) {
  while (const auto opened = session.receive(now_)) RELAB_CHECK(take_frame(session, *opened));
  return {};
}

Result<void> Driver::take_frame(Session& session, const Opened& opened) {
  if (opened.is<schema::Report>()) return take_report(session, opened);
  if (opened.is<schema::Receipt>()) return take_receipt(session, opened);
  if (opened.is<schema::Progress>()) take_progress(opened);
  if (const auto want = opened.as<schema::Want>()) take_want(session, want->reader());
  if (const auto unconfirmed = opened.as<schema::Unconfirmed>()) {
    const auto id = TaskId::from(view(unconfirmed->reader().getTaskId()));
    return id ? take_unconfirmed(session, *id) : Result<void>();
  }
  if (!opened.is<schema::Hello>() || !session.greeting()) return {};
  const auto& greeting = *session.greeting();
  RELAB_CHECK(check_ledger(session));
  compared_.insert(session.name());
  show_ledger(session);
  cancel_unwanted(session);
  narrator_.agent_up(session.name(), greeting);
  keep_greeting(session.name(), greeting);
  if (std::chrono::abs(greeting.skew) > skew_to_tell)
    narrator_.warn(fmt::format(
        "the clock of '{}' is off by {}: set it right (timedatectl), ages of evidence depend on it",
        session.name(), human(greeting.skew)));
  const auto unconfirmed = greeting.unconfirmed;
  RELAB_CHECK(feed(event::AgentUp{.agent = session.name(),
                                  .held = greeting.held,
                                  .journal_lost = has_another_journal(session)}));
  for (const auto& task : unconfirmed) RELAB_CHECK(take_unconfirmed(session, task));
  return {};
}

void Driver::keep_greeting(const std::string& agent, const Greeting& greeting) const {
  const auto known = book_.state().agents().find(agent);
  if (!config_.greetings || known == book_.state().agents().end()) return;
  const auto kept =
      config_.greetings->note(agent, known->second.party.sign_key, greeting, now_.wall);
  if (!kept) narrator_.warn("what the agent says of itself is not kept: " + kept.error().what);
}

Result<void> Driver::check_ledger(const Session& session) const {
  const auto continues = book_.state().continues(session.greeting()->checkpoint);
  if (continues) return {};
  return fail(
      Fault::damaged,
      fmt::format("this is not the whole ledger: the agent '{}' {}", session.name(),
                  continues.error().what),
      "its end was cut off, or an old copy put in its place: restore the newest one, and enrol "
      "agents anew that were shown this one meanwhile. If the newest is lost for good, enrol every "
      "agent anew: nothing that was recorded since is known here any more");
}

bool Driver::has_another_journal(const Session& session) const {
  const auto tasks = book_.state().tasks_of(run_);
  return std::ranges::any_of(tasks, [&](const TaskRecord* task) {
    return task->open() && task->agent == session.name() &&
           !crypto::equal(view(task->order.reader().getJournal()), session.greeting()->journal);
  });
}

Result<void> Driver::take_report(Session& session, const Opened& opened) {
  const auto report = opened.as<schema::Report>();
  if (!report) {
    narrator_.warn(fmt::format("a report of '{}' cannot be read: {}", session.name(),
                               report.error().sentence()));
    return {};
  }
  const auto task = book_.state().task_of_report(opened, report->reader());
  if (!task) {
    narrator_.warn(fmt::format("'{}' sent {}: it is not taken", session.name(), task.error().what));
    return {};
  }
  const auto id = (*task)->id;
  const bool known = (*task)->evidence && (*task)->evidence->digest == opened.digest;
  if (!known) RELAB_CHECK(book_.received(opened.envelope.bytes()));
  Draft<schema::Ack> ack;
  ack->setTaskId(blob(id.bytes));
  ack->setReportDigest(blob(opened.digest));
  // If it does not get through, the report comes again.
  static_cast<void>(session.send(std::move(ack).finish()).has_value());
  RELAB_TRY(auto flaw, take_planted(book_.state().tasks().at(id)));
  // Its own host may say what it likes: without an agent that can be taken the step has failed.
  if (!flaw.empty())
    return feed(
        event::Reported{.task = id, .outcome = schema::Outcome::FAILED, .why = std::move(flaw)});
  return feed(event::Reported{.task = id,
                              .outcome = report->reader().getOutcome(),
                              .why = words_of(report->reader().getFailure())});
}

Result<void> Driver::take_receipt(Session& session, const Opened& opened) {
  const auto receipt = opened.as<schema::Receipt>();
  if (!receipt) return {};
  const auto reader = receipt->reader();
  const auto task = book_.state().task_of_receipt(opened, reader);
  if (!task) {
    narrator_.warn(fmt::format("'{}' sent {}: it is not taken", session.name(), task.error().what));
    return {};
  }
  const auto id = (*task)->id;
  if (reader.getRefusal() == schema::Refusal::NONE)
    return feed(
        event::Accepted{.task = id, .finished = reader.getState() == schema::State::FINISHED});
  // Of an order that was sent again since, in another session: the newer one may run by now.
  if (!crypto::equal(view(reader.getOrderDigest()), crypto::digest((*task)->order.bytes())))
    return {};
  const auto bytes = opened.envelope.bytes();
  refusing_ = Bytes(bytes.begin(), bytes.end());
  return feed(
      event::Refused{.task = id, .refusal = reader.getRefusal(), .what = str(reader.getWhat())});
}

void Driver::take_progress(const Opened& opened) {
  const auto progress = opened.as<schema::Progress>();
  if (!progress) return;
  const auto id = TaskId::from(view(progress->reader().getTaskId()));
  if (const auto* run = id ? find_step(*id) : nullptr; run != nullptr)
    narrator_.progress(*run, progress->reader(), now_.steady.time_since_epoch());
}

Result<void> Driver::feed(const Event& event) {
  for (const auto& effect : engine_->on(event, now_.steady))
    RELAB_CHECK(std::visit([&](const auto& what) { return perform(what); }, effect));
  return {};
}

Cleared Driver::clear_step(const PlannedStep& step) const {
  if (mode_ == schema::Mode::CHECK || !step.guarded()) return {};
  return clear(step, plan_digest_,
               {.lab = lab_->reader(), .state = book_.state(), .now = now_.wall});
}

namespace {

/// Evidence and approval go as they came: the agent looks at their signatures itself.
void bring(const Grounds& grounds, const Ledger& ledger, schema::Order::Builder order) {
  auto evidence = order.initEvidence(static_cast<unsigned>(grounds.evidence.size()));
  for (unsigned i = 0; i < evidence.size(); ++i)
    evidence.set(i, ledger.entries()[grounds.evidence[i]->number - 1]
                        .entry.reader()
                        .getReceived()
                        .getEnvelope());
  if (grounds.approval != nullptr) order.setApproval(blob(*grounds.approval));
}

}  // namespace

Result<void> Driver::perform(const effect::Order& effect) {
  const auto* run = find_step(effect.step);
  RELAB_ASSERT(run != nullptr);
  auto& session = *sessions_.at(run->step.agent);
  if (!session.greeting())
    return {};  // it went down meanwhile: its next hello orders the step again
  Draft<schema::Order> order;
  order->setLab(config_.lab);
  order->setRun(blob(run_.bytes));
  order->setTaskId(blob(effect.task.bytes));
  order->setAttempt(effect.attempt);
  order->setAudience(blob(session.agent().party.sign_key));
  order->setNonce(blob(session.greeting()->nonce));
  order->setIssuedAt(unix_millis(now_.wall));
  order->setNotAfter(unix_millis(now_.wall + session.greeting()->skew + order_validity));
  order->setDeadline(static_cast<std::uint32_t>(run->step.deadline.count()));
  order->setMode(mode_);
  order->setConfirmWithin(static_cast<std::uint32_t>(run->step.confirm_within.count()));
  order->setTask(run->step.task->reader());
  order->setStep(run->step.path);
  order->setJournal(blob(session.greeting()->journal));
  bring(clear_step(run->step).grounds, book_.ledger(), *order);
  bring_delivery(run->step, *order);
  RELAB_CHECK(seal_secrets(*order, session.agent().party.seal_key, config_.secrets));
  const auto envelope = sign(keys_, std::move(order).finish());
  RELAB_CHECK(book_.ordered(envelope.bytes()));
  static_cast<void>(session.send_frame(envelope.bytes()).has_value());
  return {};
}

Result<void> Driver::perform(const effect::Abandon& effect) {
  return book_.abandoned(effect.task, effect.reason, effect.why);
}

Result<void> Driver::perform(const effect::RecordRefusal& /*effect*/) {
  return book_.refused(refusing_);
}

Result<void> Driver::perform(const effect::Reattach& effect) {
  sessions_.at(effect.agent)->greet(now_);
  return {};
}

Result<void> Driver::perform(const effect::Cancel& effect) {
  auto& session = *sessions_.at(effect.agent);
  // Its next hello brings it up again.
  if (session.greeting()) send_cancel(session, effect.task);
  return {};
}

Result<void> Driver::cancel(const std::optional<TaskId>& task, const Now& now) {
  now_ = now;
  RELAB_CHECK(task ? book_.cancel_asked(*task) : book_.cancel_asked(run_));
  return feed(event::CancelAsked{task});
}

void Driver::tell_changes() {
  for (const auto& track : engine_->tracks())
    for (const auto& run : track) {
      auto& last = last_states_[run.step.path];
      const auto current = std::pair(run.state, run.wait);
      if (last != current) narrator_.step_changed(run);
      last = current;
    }
}

/// At once, if nothing can come of staying; a person at work gets some time.
bool Driver::out_of_patience() {
  const auto stalled = engine_->stalled();
  if (stalled.empty()) {
    idle_since_.reset();
    return false;
  }
  if (!stalled.contains(Wait::person)) return true;
  if (!idle_since_) idle_since_ = now_.steady;
  return now_.steady - *idle_since_ > config_.patience;
}

std::vector<const Session*> Driver::missing() const {
  std::vector<const Session*> missing;
  for (const auto& name : engine_->needed_agents())
    if (const auto session = sessions_.find(name);
        session != sessions_.end() && !session->second->greeting())
      missing.push_back(session->second.get());
  return missing;
}

const StepRun* Driver::find_step(const std::string& path) const {
  for (const auto& track : engine_->tracks())
    for (const auto& run : track)
      if (run.step.path == path) return &run;
  return nullptr;
}

const StepRun* Driver::find_step(const TaskId& task) const {
  for (const auto& track : engine_->tracks())
    for (const auto& run : track)
      if (run.task == task) return &run;
  return nullptr;
}

}  // namespace relab::controller
