/// Invariants: a task is started at most once in its life, and only after the journal has it as
/// running; a report is delivered only after the journal has it; a task that ran when the agent
/// died is concluded as unknown and never started again. A change that may cut the agent off is
/// made only once the way back is stored, and stays only once it was confirmed: it is undone when
/// its time is over, when it is cancelled, and in the next life if this one ends while it is made.
/// A way back never waits for a free worker.

#include "agent/core/core.h"

#include <algorithm>
#include <fmt/format.h>

namespace relab::agent {

namespace {

/// What is said may be lost on its way.
constexpr auto announce_interval = Millis(2000);

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

void Core::start_waiting(Instant now, Effects& effects) {
  if (draining()) return;
  auto free = limits_.running_max - std::min(limits_.running_max, running());
  for (auto& [id, task] : held_) {
    if (free == 0) return;
    if (task.state != TaskState::accepted) continue;
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
  effects.emplace_back(effect::Undo{id, std::move(why)});
}

void Core::announce(const TaskId& id, Held& task, Instant now, Effects& effects) {
  task.announces = now + announce_interval;
  effects.emplace_back(effect::Announce{id, std::max(task.ends - now, Millis(0))});
}

void Core::handle(const event::Recovered& event, Instant now, Effects& effects) {
  auto& task = held_[event.id];
  task = {.state = event.state, .deadline = event.deadline, .confirm_within = event.confirm_within};
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
  if (event.state == TaskState::accepted) start_waiting(now, effects);
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
  const bool begin = running() < limits_.running_max;
  held_[event.id] = {.state = begin ? TaskState::running : TaskState::accepted,
                     .deadline = event.deadline,
                     .confirm_within = event.confirm_within,
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
  if (task == held_.end() || task->second.state != TaskState::running) return;
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
  if (task.stopping)
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
  if (now >= task->second.ends) return;  // it is undone at the next tick
  task->second.state = TaskState::finished;
  effects.emplace_back(effect::Keep{event.id});
  effects.emplace_back(effect::Deliver{event.id});
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
  if (task->second.state == TaskState::running && !task->second.undoing)
    stop(event.id, task->second, StopReason::cancelled, effects);
  if (task->second.state == TaskState::unconfirmed)
    undo(event.id, task->second, "it was cancelled before the change was confirmed", effects);
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
  if (now >= task.ends)
    undo(id, task,
         fmt::format("the change was not confirmed within {}", human(task.confirm_within)),
         effects);
  else if (now >= task.announces)
    announce(id, task, now, effects);
}

void Core::handle(const event::Ticked& /*event*/, Instant now, Effects& effects) {
  // Asked before the attempts below: whether those succeed is known only afterwards.
  // A store that takes nothing must not keep the agent from leaving: its journal then says that
  // the task ran, and the next life concludes it as unknown.
  const bool patient = !draining() || now < *drain_until_;
  const bool owing =
      patient && std::ranges::any_of(held_, [](const auto& task) { return task.second.unstored; });
  for (auto& [id, task] : held_) {
    if (task.state == TaskState::unconfirmed) tend_unconfirmed(id, task, now, effects);
    const bool may_stop = task.state == TaskState::running && !task.undoing;
    if (may_stop && now >= task.ends) stop(id, task, StopReason::out_of_time, effects);
    if (may_stop && draining() && now >= *drain_until_)
      stop(id, task, StopReason::draining, effects);
    if (!task.unstored) continue;
    task.unstored = false;
    effects.emplace_back(effect::Finish{id});
    effects.emplace_back(effect::Deliver{id});
  }
  // What waits to be confirmed may do so in the next life; a way back that began may not.
  if (!draining() || owing || running() != 0 || exited_) return;
  exited_ = true;
  effects.emplace_back(effect::Exit{});
}

void Core::handle(const event::DrainAsked& /*event*/, Instant now, Effects& effects) {
  if (!draining()) drain_until_ = now + limits_.drain_time;
  handle(event::Ticked{}, now, effects);
}

}  // namespace relab::agent
