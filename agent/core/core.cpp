/// Invariants: a task is started at most once in its life, and only after the journal has it as
/// running; a report is delivered only after the journal has it; a task that ran when the agent
/// died is concluded as unknown and never started again.

#include "agent/core/core.h"

#include <algorithm>

namespace relab::agent {

namespace {

schema::State wire_state(TaskState state) {
  switch (state) {
    case TaskState::accepted:
      return schema::State::ACCEPTED;
    case TaskState::running:
      return schema::State::RUNNING;
    case TaskState::finished:
    case TaskState::acknowledged:
      return schema::State::FINISHED;
  }
  return schema::State::UNSET;
}

}  // namespace

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

void Core::handle(const event::Recovered& event, Instant now, Effects& effects) {
  held_[event.id] = {.state = event.state, .deadline = event.deadline};
  if (event.state == TaskState::running) {
    held_[event.id].state = TaskState::finished;
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
  task->second.state = TaskState::finished;
  effects.emplace_back(effect::Finish{event.id});
  effects.emplace_back(effect::Deliver{event.id});
  start_waiting(now, effects);
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
  if (task->second.state == TaskState::running)
    stop(event.id, task->second, StopReason::cancelled, effects);
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

void Core::handle(const event::Ticked& /*event*/, Instant now, Effects& effects) {
  // Asked before the attempts below: whether those succeed is known only afterwards.
  // A store that takes nothing must not keep the agent from leaving: its journal then says that
  // the task ran, and the next life concludes it as unknown.
  const bool patient = !draining() || now < *drain_until_;
  const bool busy = std::ranges::any_of(held_, [&](const auto& task) {
    return task.second.state == TaskState::running || (patient && task.second.unstored);
  });
  for (auto& [id, task] : held_) {
    if (task.state == TaskState::running && now >= task.ends)
      stop(id, task, StopReason::out_of_time, effects);
    if (task.state == TaskState::running && draining() && now >= *drain_until_)
      stop(id, task, StopReason::draining, effects);
    if (!task.unstored) continue;
    task.unstored = false;
    effects.emplace_back(effect::Finish{id});
    effects.emplace_back(effect::Deliver{id});
  }
  if (!draining() || busy || exited_) return;
  exited_ = true;
  effects.emplace_back(effect::Exit{});
}

void Core::handle(const event::DrainAsked& /*event*/, Instant now, Effects& effects) {
  if (!draining()) drain_until_ = now + limits_.drain_time;
  handle(event::Ticked{}, now, effects);
}

}  // namespace relab::agent
