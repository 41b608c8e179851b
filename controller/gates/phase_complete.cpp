#include <fmt/format.h>
#include <map>

#include "controller/gates/gate.h"

namespace relab::controller {

namespace {

using Phase = schema::Lab::Phase::Reader;

std::vector<std::string> steps_of(Phase phase) {
  std::vector<std::string> steps;
  for (const auto track : phase.getTracks())
    for (const auto step : track.getSteps())
      steps.push_back(
          fmt::format("{}/{}/{}", str(phase.getName()), str(track.getName()), str(step.getName())));
  return steps;
}

bool has_succeeded(const TaskRecord& task) {
  return task.evidence && task.evidence->report.reader().getOutcome() == schema::Outcome::SUCCEEDED;
}

/// The last attempt at each step of the phase, in whichever run: a track may be run by itself. A
/// check shows nothing, for it does nothing.
std::map<std::string, const TaskRecord*> last_attempts(const State& state,
                                                       const std::string& phase) {
  std::map<std::string, const TaskRecord*> last;
  for (const auto& run : state.runs()) {
    if (run.phase != phase || run.check) continue;
    std::map<std::string, const TaskRecord*> here;
    for (const auto* task : state.tasks_of(run.id))
      if (auto& known = here[task->step]; known == nullptr || known->attempt <= task->attempt)
        known = task;
    for (const auto& [step, task] : here) last[step] = task;
  }
  return last;
}

/// Empty if it is complete.
std::string incomplete(Phase phase, const State& state) {
  const auto steps = steps_of(phase);
  if (steps.empty()) return "it has no steps in lab.toml: nothing is automated, so nothing is done";
  const auto* run = state.last_run(str(phase.getName()));
  if (run == nullptr) return "missing: it was never run";
  if (!run->ended) return "missing: its last run has not ended";
  const auto last = last_attempts(state, str(phase.getName()));
  for (const auto& step : steps) {
    const auto task = last.find(step);
    if (task == last.end()) return fmt::format("missing: {} was never ordered", step);
    if (!has_succeeded(*task->second))
      return fmt::format("failed: {} did not succeed when it was run last", step);
  }
  return {};
}

}  // namespace

Verdict phase_complete(Phase phase, const Evidences& evidences) {
  const auto name = str(phase.getName());
  Finding finding{.subject = fmt::format("phase {}", name),
                  .why = incomplete(phase, evidences.state)};
  finding.met = finding.why.empty();
  if (finding.met)
    finding.why = "every step has succeeded";
  else if (!steps_of(phase).empty())
    finding.supply = fmt::format("relab run {}", name);
  return {.condition = "phase.complete", .met = finding.met, .findings = {std::move(finding)}};
}

}  // namespace relab::controller
