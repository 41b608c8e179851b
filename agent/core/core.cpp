/// Invariants: a task is started at most once in its life, and only after the journal has it as
/// running; a report is delivered only after the journal has it; a task that ran when the agent
/// died is concluded as unknown and never started again. A change that may cut the agent off is
/// made only once the way back is stored, and stays only once it was confirmed: it is undone when
/// its time is over, when it is cancelled, when the agent is told to leave, and in the next life if
/// this one ends while it is made. Confirmed, it is looked at once more, and stays only if it is
/// still as it was made. A way back never waits for a free worker, and is tried until it works.
/// Tasks on one resource begin one after the other, and what is not settled holds it.

#include "agent/core/core.h"

#include <algorithm>
#include <fmt/format.h>

namespace relab::agent {

namespace {

/// What is said may be lost on its way.
constexpr auto announce_interval = Millis(2000);
constexpr auto undo_pause = Millis(5000);
constexpr auto undo_pause_max = Millis(60'000);

/// Twice as long after each failure.
Millis pause_after(unsigned failures) {
  return std::min(undo_pause_max, undo_pause * (1U << std::min(failures - 1, 8U)));
}

}  // namespace

schema::State wire_state(TaskState state) {
  switch (state) {
    case TaskState::accepted:
      return schema::State::ACCEPTED;
    case TaskState::running:
      return schema::State::RUNNING;
    case TaskState::finished:
    case TaskState::acknowledged:
      return schema::State::FINISHED;
    case TaskState::unconfirmed:
      return schema::State::UNCONFIRMED;
  }
  return schema::State::UNSET;
}

std::vector<Effect> Core::on(const Event& event, Instant now) {
  Effects effects;
  std::visit([&](const auto& what) { handle(what, now, effects); }, event);
  return effects;
}

std::size_t Core::running() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      held_, [](const auto& task) { return task.second.state == TaskState::running; }));
}

bool Core::at_work() const {
  return std::ranges::any_of(held_, [](const auto& held) {
    const auto& task = held.second;
    return task.reviewing || (task.state == TaskState::running && !task.undo_again);
  });
}

bool Core::is_taken(const std::string& resource) const {
  return !resource.empty() && std::ranges::any_of(held_, [&](const auto& held) {
    const auto& task = held.second;
    return task.resource == resource &&
           (task.state == TaskState::running || task.state == TaskState::unconfirmed);
  });
}

void Core::start_waiting(Instant now, Effects& effects) {
  if (draining()) return;
  auto free = limits_.running_max - std::min(limits_.running_max, running());
  for (auto& [id, task] : held_) {
    if (free == 0) return;
    if (task.state != TaskState::accepted || is_taken(task.resource)) continue;
    task.state = TaskState::running;
    task.ends = now + task.deadline;
    effects.emplace_back(effect::Begin{id});
    effects.emplace_back(effect::Start{id});
    --free;
  }
}

void Core::undo(const TaskId& id, Held& task, std::string why, Effects& effects) {
  task.state = TaskState::running;
  task.undoing = true;
  task.reviewing = false;
  task.undo_again.reset();
  task.undo_why = why;
  effects.emplace_back(effect::Undo{
      id, std::move(why), task.cancelled ? schema::Outcome::CANCELLED : schema::Outcome::FAILED});
}

void Core::announce(const TaskId& id, Held& task, Instant now, Effects& effects) {
  task.announces = now + announce_interval;
  effects.emplace_back(effect::Announce{id, std::max(task.ends - now, Millis(0))});
}

void Core::handle(const event::Recovered& event, Instant now, Effects& effects) {
  auto& task = held_[event.id];
  task = {.state = event.state,
          .deadline = event.deadline,
          .confirm_within = event.confirm_within,
          .resource = event.resource};
  if (event.state == TaskState::unconfirmed) {
    task.ends = now + event.left;
    if (event.left <= Millis(0))
      undo(event.id, task,
           "the change was not confirmed before the machine was restarted, or in time", effects);
  } else if (event.state == TaskState::running && event.armed) {
    undo(event.id, task, "the agent stopped while the change was made", effects);
  } else if (event.state == TaskState::running) {
    task.state = TaskState::finished;
    effects.emplace_back(effect::Conclude{event.id, schema::Outcome::UNKNOWN,
                                          "the agent stopped while the task ran"});
  }
  // What waits begins at the first tick: only then it is known what else was held.
}

void Core::answer_known(const event::Admitted& event, Effects& effects) const {
  using schema::Refusal;
  if (event.known->task_digest != event.task_digest) {
    effects.emplace_back(effect::Answer{event.id, Refusal::TASK_CONFLICT, schema::State::UNSET,
                                        "this task id is known with another task"});
    return;
  }
  effects.emplace_back(effect::Answer{event.id, Refusal::NONE, wire_state(event.known->state)});
  if (event.known->state == TaskState::finished) effects.emplace_back(effect::Deliver{event.id});
}

void Core::handle(const event::Admitted& event, Instant now, Effects& effects) {
  using schema::Refusal;
  if (event.known) return answer_known(event, effects);
  if (draining()) {
    effects.emplace_back(effect::Answer{event.id, Refusal::DRAINING, schema::State::UNSET,
                                        "the agent is about to stop"});
    return;
  }
  if (held_.size() >= limits_.held_max) {
    effects.emplace_back(effect::Answer{event.id, Refusal::BUSY, schema::State::UNSET,
                                        "the agent holds as many tasks as it can"});
    return;
  }
  const bool begin = running() < limits_.running_max && !is_taken(event.resource);
  held_[event.id] = {.state = begin ? TaskState::running : TaskState::accepted,
                     .deadline = event.deadline,
                     .confirm_within = event.confirm_within,
                     .resource = event.resource,
                     .ends = now + event.deadline};
  effects.emplace_back(effect::Accept{event.id, begin});
  if (begin) effects.emplace_back(effect::Start{event.id});
  effects.emplace_back(effect::Answer{event.id, Refusal::NONE,
                                      begin ? schema::State::RUNNING : schema::State::ACCEPTED});
}

void Core::handle(const event::AcceptFailed& event, Instant /*now*/, Effects& effects) {
  held_.erase(event.id);
  effects.emplace_back(
      effect::Answer{event.id, schema::Refusal::STORE_FAILED, schema::State::UNSET, event.why});
}

void Core::handle(const event::FinishFailed& event, Instant /*now*/, Effects& /*effects*/) {
  if (const auto task = held_.find(event.id); task != held_.end()) task->second.unstored = true;
}

void Core::handle(const event::ReleaseFailed& event, Instant /*now*/, Effects& /*effects*/) {
  held_[event.id] = {.state = TaskState::finished, .deadline = {}};
}

void Core::handle(const event::Ended& event, Instant now, Effects& effects) {
  const auto task = held_.find(event.id);
  if (task == held_.end()) return;
  if (task->second.reviewing) return settle_review(event, task->second, effects);
  if (task->second.state != TaskState::running) return;
  if (event.stuck) {
    // Nobody is told that it ended while the machine is neither as it was nor as it should be.
    if (!task->second.undoing) task->second.undo_why = event.why;
    task->second.undoing = true;
    task->second.undo_again = now + pause_after(++task->second.undo_failures);
    return;
  }
  if (event.unconfirmed) {
    // Who waits begins first: if the change cannot be held, nothing that follows is carried out.
    task->second.state = TaskState::unconfirmed;
    start_waiting(now, effects);
    hold(event.id, task->second, now, effects);
    return;
  }
  task->second.state = TaskState::finished;
  task->second.undoing = false;
  effects.emplace_back(effect::Finish{event.id});
  effects.emplace_back(effect::Deliver{event.id});
  start_waiting(now, effects);
}

void Core::hold(const TaskId& id, Held& task, Instant now, Effects& effects) {
  if (task.stopping || draining())
    return undo(id, task, "it was stopped before the change was confirmed", effects);
  task.ends = now + task.confirm_within;
  effects.emplace_back(effect::Hold{id, task.confirm_within});
  announce(id, task, now, effects);
}

void Core::handle(const event::HoldFailed& event, Instant /*now*/, Effects& effects) {
  const auto task = held_.find(event.id);
  if (task == held_.end() || task->second.state != TaskState::unconfirmed) return;
  undo(event.id, task->second, "the journal could not take that the change was made", effects);
}

void Core::handle(const event::Confirmed& event, Instant now, Effects& effects) {
  const auto task = held_.find(event.id);
  if (task == held_.end() || task->second.state != TaskState::unconfirmed) return;
  // Over its time, it is undone at the next tick.
  if (now >= task->second.ends || task->second.reviewing) return;
  task->second.reviewing = true;
  effects.emplace_back(effect::Review{event.id});
}

void Core::settle_review(const event::Ended& event, Held& task, Effects& effects) {
  task.reviewing = false;
  if (!event.unconfirmed || task.stopping)
    return undo(event.id, task,
                task.stopping
                    ? task.undo_why
                    : fmt::format("it was confirmed, but is not so any more: {}", event.why),
                effects);
  task.state = TaskState::finished;
  effects.emplace_back(effect::Keep{event.id});
  effects.emplace_back(effect::Deliver{event.id});
}

void Core::give_up(const TaskId& id, Held& task, StopReason reason, std::string why,
                   Effects& effects) {
  if (!task.reviewing) return undo(id, task, std::move(why), effects);
  // The worker has to let go of it first.
  if (!task.stopping) task.undo_why = std::move(why);
  stop(id, task, reason, effects);
}

/// It is undone in time, unless the controller says it once more and the journal takes it then.
void Core::handle(const event::KeepFailed& event, Instant /*now*/, Effects& /*effects*/) {
  const auto task = held_.find(event.id);
  if (task != held_.end()) task->second.state = TaskState::unconfirmed;
}

void Core::handle(const event::Acknowledged& event, Instant /*now*/, Effects& effects) {
  const auto task = held_.find(event.id);
  if (task == held_.end() || task->second.state != TaskState::finished || task->second.unstored)
    return;
  held_.erase(task);
  effects.emplace_back(effect::Release{event.id});
}

void Core::stop(const TaskId& id, Held& task, StopReason reason, Effects& effects) const {
  if (task.stopping) return;
  task.stopping = true;
  effects.emplace_back(effect::Stop{id, reason});
}

void Core::handle(const event::CancelAsked& event, Instant /*now*/, Effects& effects) {
  const auto task = held_.find(event.id);
  if (task == held_.end()) return;
  // Of a way back that was begun for another reason, the outcome stays.
  if (!task->second.undoing) task->second.cancelled = true;
  if (task->second.state == TaskState::running && !task->second.undoing)
    stop(event.id, task->second, StopReason::cancelled, effects);
  if (task->second.state == TaskState::unconfirmed)
    give_up(event.id, task->second, StopReason::cancelled,
            "it was cancelled before the change was confirmed", effects);
  if (task->second.state != TaskState::accepted) return;
  task->second.state = TaskState::finished;
  effects.emplace_back(effect::Conclude{event.id, schema::Outcome::CANCELLED,
                                        "the task was cancelled before it began"});
  effects.emplace_back(effect::Deliver{event.id});
}

void Core::handle(const event::Attached& /*event*/, Instant /*now*/, Effects& effects) {
  for (const auto& [id, task] : held_)
    if (task.state == TaskState::finished && !task.unstored)
      effects.emplace_back(effect::Deliver{id});
}

void Core::tend_unconfirmed(const TaskId& id, Held& task, Instant now, Effects& effects) {
  if (draining())
    give_up(id, task, StopReason::draining, "the agent stopped before the change was confirmed",
            effects);
  else if (now >= task.ends)
    give_up(id, task, StopReason::out_of_time,
            fmt::format("the change was not confirmed within {}", human(task.confirm_within)),
            effects);
  else if (now >= task.announces && !task.reviewing)
    announce(id, task, now, effects);
}

void Core::tend_running(const TaskId& id, Held& task, Instant now, Effects& effects) {
  if (task.undo_again && now >= *task.undo_again && !draining())
    return undo(id, task, task.undo_why, effects);
  if (task.undoing) return;
  if (now >= task.ends) stop(id, task, StopReason::out_of_time, effects);
  if (draining() && now >= *drain_until_) stop(id, task, StopReason::draining, effects);
}

void Core::handle(const event::Ticked& /*event*/, Instant now, Effects& effects) {
  // Asked before the attempts below: whether those succeed is known only afterwards.
  // A store that takes nothing must not keep the agent from leaving: its journal then says that
  // the task ran, and the next life concludes it as unknown.
  const bool patient = !draining() || now < *drain_until_;
  const bool owing =
      patient && std::ranges::any_of(held_, [](const auto& task) { return task.second.unstored; });
  for (auto& [id, task] : held_) {
    if (task.state == TaskState::running)
      tend_running(id, task, now, effects);
    else if (task.state == TaskState::unconfirmed)
      tend_unconfirmed(id, task, now, effects);
    if (!task.unstored) continue;
    task.unstored = false;
    effects.emplace_back(effect::Finish{id});
    effects.emplace_back(effect::Deliver{id});
  }
  start_waiting(now, effects);
  // A way back that fails now is taken in the next life.
  if (!draining() || owing || at_work() || exited_) return;
  exited_ = true;
  effects.emplace_back(effect::Exit{});
}

void Core::handle(const event::DrainAsked& /*event*/, Instant now, Effects& effects) {
  if (!draining()) drain_until_ = now + limits_.drain_time;
  handle(event::Ticked{}, now, effects);
}

}  // namespace relab::agent
