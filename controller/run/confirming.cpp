// The controller's part in changes that may cut an agent off: to reach it anew.

#include "controller/run/driver.h"

namespace relab::controller {

namespace {

constexpr auto redial_interval = Millis(1000);

/// Whose change stays once the agent was reached anew. Nobody wants that of a task that was given
/// up or is to be cancelled.
bool is_wanted(const TaskRecord& task, const std::string& agent) {
  return task.open() && !task.cancel_asked && task.agent == agent &&
         task.order.reader().getConfirmWithin() != 0;
}

}  // namespace

Result<void> Driver::take_unconfirmed(Session& session, const TaskId& id) {
  const auto task = book_.state().tasks().find(id);
  if (task == book_.state().tasks().end() || !is_wanted(task->second, session.name())) return {};
  const auto told = told_over_.try_emplace(id, session.connection()).first->second;
  if (session.connection() != told)
    return session.greeting() ? confirm(session, task->second) : Result<void>();
  auto& last = redialled_[session.name()];
  if (now_.steady - last < redial_interval) return {};
  last = now_.steady;
  session.redial();
  return feed(event::AgentDown{session.name()});
}

Result<void> Driver::confirm(Session& session, const TaskRecord& task) {
  const auto id = task.id;
  if (!task.confirmed) RELAB_CHECK(book_.confirmed(id));
  Draft<schema::Confirm> confirm;
  confirm->setTaskId(blob(id.bytes));
  confirm->setNonce(blob(session.greeting()->nonce));
  // If it does not get through, the agent says once more that it waits.
  static_cast<void>(session.send(std::move(confirm).finish()).has_value());
  return {};
}

}  // namespace relab::controller
