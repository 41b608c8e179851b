/// A step is ordered under a task id of its own. The same id is sent again as long as nobody knows
/// that the agent has it: the agent runs an id at most once. A new id, that is a new attempt, is
/// made only after an unknown outcome, and only for kinds that converge. A step that is guarded is
/// ordered only while its clearance holds, and that is asked anew each time, below the plan.

#include "controller/engine/engine.h"

#include <algorithm>
#include <fmt/format.h>

namespace relab::controller {

namespace {

constexpr std::uint32_t attempts_max = 3;
constexpr unsigned refusals_max = 20;
/// A full disk does not empty itself, and every order stands in the ledger for good.
constexpr unsigned store_refusals_max = 3;
/// A report that is on its way may speak against what was brought: it is here by then.
constexpr unsigned ground_refusals_max = 3;
constexpr auto pause_after_refusal = std::chrono::seconds(1);
/// Before the second attempt; four times as long before the third.
constexpr auto pause_before_attempt = std::chrono::seconds(5);
/// A cancellation may be lost on its way.
constexpr auto cancel_interval = std::chrono::seconds(5);
constexpr auto clearance_interval = std::chrono::seconds(1);
/// Beyond a task's own deadline, for its end and its way back.
constexpr auto patience_for_known_report = std::chrono::seconds(30);
constexpr auto patience_beyond_deadline = std::chrono::seconds(120);

/// How often an order that was refused for this reason is sent once more; 0: never.
unsigned tries_after(schema::Refusal refusal) {
  switch (refusal) {
    case schema::Refusal::BUSY:
    case schema::Refusal::DRAINING:
      return refusals_max;
    case schema::Refusal::STORE_FAILED:
      return store_refusals_max;
    case schema::Refusal::NEED_UNMET:
    case schema::Refusal::NOT_APPROVED:
      return ground_refusals_max;
    default:
      return 0;
  }
}

std::string words_of(schema::Outcome outcome) {
  switch (outcome) {
    case schema::Outcome::FAILED:
      return "it failed";
    case schema::Outcome::REFUSED:
      return "the agent refused it";
    case schema::Outcome::CANCELLED:
      return "it was cancelled";
    case schema::Outcome::UNKNOWN:
      return "nobody knows what became of it: the agent stopped while it ran";
    case schema::Outcome::SUCCEEDED:
      return {};
    case schema::Outcome::UNSET:
      break;
  }
  return "its report has no outcome";
}

}  // namespace

Engine::Engine(RunPlan plan, NewTaskId new_task_id, Clear clear, Instant now)
    : new_task_id_(std::move(new_task_id)),
      clear_(std::move(clear)),
      patience_(plan.patience),
      collect_only_(plan.collect_only) {
  for (auto& track : plan.phase.tracks) {
    auto& runs = tracks_.emplace_back();
    for (auto& step : track) runs.push_back({.step = std::move(step)});
  }
  for (const auto& agent : needed_agents()) goes_away(agent, now);
  resume(plan.resumed, now);
  Effects none;
  if (plan.cancelled) handle(event::CancelAsked{}, now, none);
  // Nobody is there yet: this orders nothing, and blocks what stands behind a failed step.
  advance(now, none);
}

void Engine::resume(const std::vector<Resumed>& resumed, Instant now) {
  for_each([&](StepRun& run) {
    const Resumed* last = nullptr;
    for (const auto& known : resumed)
      if (known.step == run.step.path && (last == nullptr || known.attempt >= last->attempt))
        last = &known;
    if (last != nullptr) resume(run, *last, now);
  });
}

void Engine::resume(StepRun& run, const Resumed& last, Instant now) {
  run.task = last.task;
  run.attempt = last.attempt;
  run.state = StepState::ordered;
  run.gives_up = now + run.step.deadline + run.step.confirm_within + patience_beyond_deadline;
  Effects none;
  if (last.cancel_asked) cancel(run, now, none);
  if (last.outcome) {
    handle(event::Reported{.task = last.task, .outcome = *last.outcome, .why = last.why}, now,
           none);
  } else if (last.journal_lost) {
    retry_or_fail(run, last.closed, now);
  } else if (!last.closed.empty()) {
    // It may have run: another order for the step would be a second one.
    fail_step(run, last.closed);
  }
}

template <typename Do>
void Engine::for_each(Do what) {
  for (auto& track : tracks_)
    for (auto& run : track) what(run);
}

std::vector<Effect> Engine::on(const Event& event, Instant now) {
  Effects effects;
  guarded_ordered_ = false;
  // Whatever happened may have changed what a clearance is given on.
  if (!std::holds_alternative<event::Ticked>(event))
    for_each([](StepRun& run) { run.asked.reset(); });
  std::visit([&](const auto& what) { handle(what, now, effects); }, event);
  advance(now, effects);
  return effects;
}

StepRun* Engine::find(const TaskId& task) {
  for (auto& track : tracks_)
    for (auto& run : track)
      if (run.task == task) return &run;
  return nullptr;
}

void Engine::order(StepRun& run, Instant now, Effects& effects) {
  if (!run.task) {
    run.task = new_task_id_();
    ++run.attempt;
  }
  run.state = StepState::ordered;
  run.again.reset();
  run.gives_up = now + run.step.deadline + run.step.confirm_within + patience_beyond_deadline;
  effects.emplace_back(
      effect::Order{.step = run.step.path, .task = *run.task, .attempt = run.attempt});
}

/// It is the turn of the first step of each track that has not ended; a failed one blocks those
/// behind it.
void Engine::advance(Instant now, Effects& effects) {
  for (auto& track : tracks_) {
    bool blocked = false;
    for (auto& run : track) {
      if (run.state == StepState::succeeded) continue;
      if (run.state == StepState::failed) blocked = true;
      // Nor does an agent come that was not brought.
      const auto brought = bringing(run.step.agent);
      if (!blocked && brought.step != nullptr && brought.turn == nullptr) {
        blocked = true;
        run.why = fmt::format("no agent came with {}", brought.step->step.path);
      }
      if (blocked && run.state == StepState::waiting) run.state = StepState::blocked;
      if (run.ended()) continue;
      take_turn(run, now, effects);
      break;
    }
  }
}

void Engine::take_turn(StepRun& run, Instant now, Effects& effects) {
  const bool there = up_.contains(run.step.agent);
  auto clearance = parked(run, now);
  if (collect_only_ && run.state == StepState::waiting) {
    clearance = {.wait = Wait::nobody, .why = "nothing new is ordered"};
  } else if (there && run.state == StepState::waiting) {
    if (run.again && now < *run.again) return;
    if (run.step.guarded()) {
      // An order in the ledger may speak against the next one.
      if (guarded_ordered_) return;
      // What it is judged by changes slowly, and it is judged anew right before it is ordered.
      if (run.asked && now < *run.asked + clearance_interval) return;
      run.asked = now;
      clearance = clear_(run.step);
      guarded_ordered_ = clearance.wait == Wait::nothing;
    }
    if (clearance.wait == Wait::nothing) order(run, now, effects);
  }
  const bool was_waiting = run.wait != Wait::nothing;
  if (clearance.wait == Wait::nothing && !run.step.instruction.empty() &&
      run.state != StepState::waiting)
    clearance = {.wait = Wait::person, .why = run.step.instruction};
  run.wait = clearance.wait;
  // What a refused order says stays until its time comes.
  if (run.wait != Wait::nothing || was_waiting) run.why = clearance.why;
}

Engine::Bringing Engine::bringing(const std::string& agent) const {
  if (!absent_.contains(agent)) return {};
  for (const auto& track : tracks_) {
    const auto step =
        std::ranges::find_if(track, [&](const auto& run) { return run.step.brings == agent; });
    if (step == track.end()) continue;
    if (step->ended()) return {.step = &*step};
    return {.step = &*step, .turn = &*std::ranges::find_if_not(track, &StepRun::ended)};
  }
  return {};
}

Clearance Engine::parked(const StepRun& run, Instant now) const {
  if (up_.contains(run.step.agent)) return {};
  if (const auto brought = bringing(run.step.agent); brought.turn != nullptr)
    return {.wait = brought.turn->wait,
            .why = fmt::format("its agent comes with {}", brought.step->step.path)};
  if (const auto absent = absent_.find(run.step.agent); absent != absent_.end())
    return {.wait = Wait::agent, .why = absent->second};
  const auto away = away_since_.find(run.step.agent);
  const auto limit = run.step.patience.count() != 0 ? run.step.patience : patience_;
  if (away == away_since_.end() || now - away->second <= limit) return {};
  // A person may have to bring the agent up: that is what such a step is for.
  if (!run.step.instruction.empty()) return {.wait = Wait::person, .why = run.step.instruction};
  return {.wait = Wait::agent,
          .why = fmt::format("the agent '{}' is away for longer than {}", run.step.agent,
                             human(limit))};
}

void Engine::goes_away(const std::string& agent, Instant now) {
  up_.erase(agent);
  away_since_.try_emplace(agent, now);
}

void Engine::fail_step(StepRun& run, std::string why) {
  run.state = StepState::failed;
  run.wait = Wait::nothing;
  run.why = std::move(why);
}

void Engine::retry_or_fail(StepRun& run, const std::string& why, Instant now) {
  if (!run.step.convergent || run.attempt >= attempts_max || run.cancel) return fail_step(run, why);
  run.task.reset();
  run.again = now + pause_before_attempt * (run.attempt < 2 ? 1 : 4);
  run.state = StepState::waiting;
  run.why = why;
}

void Engine::cancel(StepRun& run, Instant now, Effects& effects) {
  if (run.ended()) return;
  if (!run.task) return fail_step(run, "it was cancelled before it was ordered");
  if (run.state == StepState::waiting) return abandon_cancelled(run, effects);
  run.cancel = now + cancel_interval;
  if (up_.contains(run.step.agent))
    effects.emplace_back(effect::Cancel{.agent = run.step.agent, .task = *run.task});
}

void Engine::abandon_cancelled(StepRun& run, Effects& effects) {
  const std::string why = "it was cancelled before the agent had it";
  effects.emplace_back(effect::Abandon{
      .task = *run.task, .reason = schema::Abandoned::Reason::CANCELLED, .why = why});
  fail_step(run, why);
}

void Engine::handle(const event::CancelAsked& event, Instant now, Effects& effects) {
  for_each([&](StepRun& run) {
    if (!event.task || run.task == event.task) cancel(run, now, effects);
  });
}

void Engine::handle(const event::AgentUp& event, Instant now, Effects& effects) {
  up_.insert(event.agent);
  away_since_.erase(event.agent);
  absent_.erase(event.agent);
  for_each([&](StepRun& run) {
    if (run.step.agent != event.agent || !run.task || run.ended()) return;
    if (event.held.contains(*run.task)) {
      run.state = StepState::accepted;
      run.again.reset();
      if (run.cancel) cancel(run, now, effects);
    } else if (event.journal_lost || run.state == StepState::accepted) {
      // An agent never forgets what it accepted: this is another journal than it was.
      effects.emplace_back(effect::Abandon{.task = *run.task,
                                           .reason = schema::Abandoned::Reason::JOURNAL_LOST,
                                           .why = "the agent lost its journal"});
      retry_or_fail(run, "the agent lost its journal: nobody knows what became of the task", now);
    } else if (run.cancel) {
      abandon_cancelled(run, effects);
    } else {
      run.state = StepState::waiting;  // its turn sends it again, under the same id
      run.again.reset();
    }
  });
}

void Engine::handle(const event::AgentDown& event, Instant now, Effects& /*effects*/) {
  goes_away(event.agent, now);
}

void Engine::handle(const event::AgentAbsent& event, Instant now, Effects& /*effects*/) {
  goes_away(event.agent, now);
  absent_[event.agent] = event.why;
}

void Engine::handle(const event::AgentKnown& event, Instant now, Effects& /*effects*/) {
  absent_.erase(event.agent);
  up_.erase(event.agent);
  away_since_[event.agent] = now;
}

void Engine::handle(const event::Accepted& event, Instant now, Effects& /*effects*/) {
  auto* run = find(event.task);
  if (run == nullptr || run->state != StepState::ordered) return;
  run->state = StepState::accepted;
  run->again.reset();
  run->why.clear();
  if (event.finished) run->gives_up = std::min(run->gives_up, now + patience_for_known_report);
}

void Engine::handle(const event::Refused& event, Instant now, Effects& effects) {
  auto* run = find(event.task);
  if (run == nullptr || run->state != StepState::ordered) return;
  if (event.refusal == schema::Refusal::WRONG_SESSION && ++run->refusals <= refusals_max) {
    goes_away(run->step.agent, now);
    effects.emplace_back(effect::Reattach{run->step.agent});
    return;
  }
  const auto most = tries_after(event.refusal);
  if (most != 0 && !run->cancel && ++run->refusals <= most) {
    run->why = "the agent takes no order for now: " + event.what;
    run->again = now + pause_after_refusal * run->refusals;
    return;
  }
  effects.emplace_back(effect::RecordRefusal{event.task});
  fail_step(*run, "the agent refused the order: " + event.what);
}

void Engine::handle(const event::Reported& event, Instant now, Effects& /*effects*/) {
  auto* run = find(event.task);
  if (run == nullptr || run->ended()) return;
  if (event.outcome == schema::Outcome::SUCCEEDED) {
    run->state = StepState::succeeded;
    run->wait = Wait::nothing;
    run->why.clear();
  } else if (event.outcome == schema::Outcome::UNKNOWN) {
    retry_or_fail(*run, words_of(event.outcome), now);
  } else {
    fail_step(*run, event.why.empty() ? words_of(event.outcome) : event.why);
  }
}

void Engine::handle(const event::Ticked& /*event*/, Instant now, Effects& effects) {
  for_each([&](StepRun& run) {
    if (run.state != StepState::ordered && run.state != StepState::accepted) return;
    if (!up_.contains(run.step.agent)) return;
    if (run.cancel && now >= *run.cancel) cancel(run, now, effects);
    if (run.again && now >= *run.again) {
      run.state = StepState::waiting;  // its turn sends it again, under the same id
    } else if (now >= run.gives_up) {
      effects.emplace_back(effect::Cancel{.agent = run.step.agent, .task = *run.task});
      effects.emplace_back(effect::Abandon{.task = *run.task,
                                           .reason = schema::Abandoned::Reason::OVERDUE,
                                           .why = "no report came within the deadline"});
      fail_step(run, "no report came within the deadline");
    }
  });
}

std::size_t Engine::count(StepState state) const {
  std::size_t sum = 0;
  for (const auto& track : tracks_)
    sum += static_cast<std::size_t>(std::ranges::count(track, state, &StepRun::state));
  return sum;
}

bool Engine::done() const {
  return std::ranges::all_of(
      tracks_, [](const auto& track) { return std::ranges::all_of(track, &StepRun::ended); });
}

std::set<Wait> Engine::stalled() const {
  std::set<Wait> waits;
  for (const auto& track : tracks_) {
    const auto turn = std::ranges::find_if_not(track, &StepRun::ended);
    if (turn == track.end()) continue;
    if (turn->wait == Wait::nothing) return {};
    waits.insert(turn->wait);
  }
  return waits;
}

std::set<std::string> Engine::needed_agents() const {
  std::set<std::string> agents;
  for (const auto& track : tracks_)
    for (const auto& run : track)
      if (!run.ended()) agents.insert(run.step.agent);
  return agents;
}

}  // namespace relab::controller
