#include "controller/report/task_state.h"

namespace relab::controller {

std::string task_state(const TaskRecord& task) {
  if (!task.refusal.empty()) return "refused";
  if (!task.abandoned.empty()) return "given_up";
  if (!task.evidence) return "running";
  switch (task.evidence->report.reader().getOutcome()) {
    case schema::Outcome::SUCCEEDED:
      return "succeeded";
    case schema::Outcome::FAILED:
      return "failed";
    case schema::Outcome::REFUSED:
      return "refused";
    case schema::Outcome::CANCELLED:
      return "cancelled";
    case schema::Outcome::UNKNOWN:
    case schema::Outcome::UNSET:
      break;
  }
  return "unknown";
}

const TaskRecord* last_task(const State& state, const RunId& run, const std::string& path) {
  const TaskRecord* last = nullptr;
  for (const auto* task : state.tasks_of(run))
    if (task->step == path && (last == nullptr || task->attempt >= last->attempt)) last = task;
  return last;
}

}  // namespace relab::controller
