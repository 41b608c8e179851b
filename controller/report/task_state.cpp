#include "controller/report/task_state.h"

#include <algorithm>

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

std::vector<const TaskRecord*> attempts_at(const State& state, const RunId& run,
                                           const std::string& path) {
  std::vector<const TaskRecord*> attempts;
  for (const auto* task : state.tasks_of(run))
    if (task->step == path) attempts.push_back(task);
  std::ranges::stable_sort(attempts, {}, &TaskRecord::attempt);
  return attempts;
}

const TaskRecord* last_task(const State& state, const RunId& run, const std::string& path) {
  const auto attempts = attempts_at(state, run, path);
  return attempts.empty() ? nullptr : attempts.back();
}

}  // namespace relab::controller
