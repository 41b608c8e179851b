#include "controller/run/resuming.h"

#include <fmt/format.h>

#include "controller/state/planted.h"

namespace relab::controller {

namespace {

/// Whether somebody is known by the name that the task was to bring.
bool brought(const State& state, const TaskRecord& task) {
  const auto name = planted_name(task);
  return name.empty() || task.check || state.agents().contains(name);
}

}  // namespace

std::string words_of(schema::Failure::Reader failure) {
  if (failure.getHint().size() == 0) return str(failure.getWhat());
  return fmt::format("{}; {}", str(failure.getWhat()), str(failure.getHint()));
}

std::vector<Resumed> resumed_steps(const State& state, const RunId& run) {
  std::vector<Resumed> steps;
  for (const auto* task : state.tasks_of(run)) {
    std::optional<schema::Outcome> outcome;
    std::string why;
    if (task->evidence) {
      const auto report = task->evidence->report.reader();
      outcome = report.getOutcome();
      why = words_of(report.getFailure());
    }
    if (outcome == schema::Outcome::SUCCEEDED && !brought(state, *task)) {
      outcome = schema::Outcome::FAILED;
      why = fmt::format("nobody was enrolled as '{}'", planted_name(*task));
    }
    steps.push_back({.step = task->step,
                     .task = task->id,
                     .attempt = task->attempt,
                     .outcome = outcome,
                     .why = std::move(why),
                     .closed = task->refusal.empty()
                                   ? task->abandoned
                                   : "the agent refused the order: " + task->refusal,
                     .journal_lost = task->abandoned_for == schema::Abandoned::Reason::JOURNAL_LOST,
                     .cancel_asked = task->cancel_asked});
  }
  return steps;
}

}  // namespace relab::controller
