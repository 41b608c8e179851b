#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "controller/gates/testimony.h"
#include "controller/lab/additions.h"
#include "controller/state/planted.h"

namespace relab::controller {

namespace {

using Phase = schema::Lab::Phase::Reader;

bool has_steps(Phase phase) {
  return any_in(phase.getTracks(), [](auto track) { return track.getSteps().size() != 0; });
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

/// Whether the step was carried out as the lab file asks for it now.
bool same_task(schema::Task::Reader ordered, schema::Task::Reader planned) {
  return capnp::canonicalize(ordered).asBytes() == capnp::canonicalize(planned).asBytes();
}

/// What the last attempts of a phase say of its steps, the first bad news of all.
class PhaseJudge {
 public:
  PhaseJudge(const State& state, const std::string& phase)
      : state_(state), phase_(phase), last_(last_attempts(state, phase)) {}

  Finding judge(Phase phase) const {
    Finding finding{.subject = fmt::format("phase {}", phase_),
                    .supply = fmt::format("relab run {}", phase_)};
    const auto* run = state_.last_run(phase_);
    if (run == nullptr || !run->ended) {
      finding.why = run == nullptr ? "it was never run" : "its last run has not ended";
      return finding;
    }
    for (const auto track : phase.getTracks())
      for (const auto step : track.getSteps())
        if (const auto path =
                fmt::format("{}/{}/{}", phase_, str(track.getName()), str(step.getName()));
            !judge_step(path, track, step, finding))
          return finding;
    finding.standing = schema::Standing::MET;
    finding.why = "every step has succeeded";
    finding.supply.clear();
    return finding;
  }
  std::map<std::string, const TaskRecord*> deeds_done(Phase phase) const {
    std::map<std::string, const TaskRecord*> done;
    for (const auto track : phase.getTracks())
      for (const auto step : track.getSteps()) {
        const auto path =
            fmt::format("{}/{}/{}", phase_, str(track.getName()), str(step.getName()));
        Finding finding;
        if (lab::destroys(step) && judge_step(path, track, step, finding))
          done[path] = last_.at(path);
      }
    return done;
  }

 private:
  /// False if it keeps the phase from being complete; `finding` then says why.
  bool judge_step(const std::string& path, schema::Lab::Track::Reader track,
                  schema::Lab::Step::Reader step, Finding& finding) const {
    const auto found = last_.find(path);
    if (found == last_.end()) {
      finding.standing = schema::Standing::MISSING;
      finding.why = fmt::format("{} was never ordered", path);
      finding.origin.reset();
      return false;
    }
    const auto& task = *found->second;
    // Until there is worse to tell: the last of all is what completes the phase.
    if (const auto origin = origin_of(task);
        !has_succeeded(task) || !finding.origin || finding.origin->ended <= origin.ended)
      finding.origin = origin;
    if (!has_succeeded(task)) {
      finding.standing =
          succeeded_before(task) ? schema::Standing::CONTRADICTED : schema::Standing::UNMET;
      const auto failure = failure_of(task);
      finding.why = failure.empty()
                        ? fmt::format("{} has not come to its end", path)
                        : fmt::format("{} did not succeed when it was run last: {}", path, failure);
      return false;
    }
    const bool asked_for = task.agent == view(track.getAgent()) &&
                           same_task(task.order.reader().getTask(), step.getTask());
    if (const auto name = planted_name(task); !name.empty() && !state_.agents().contains(name)) {
      finding.standing = schema::Standing::UNMET;
      finding.why =
          fmt::format("{} brought an agent '{}', and nobody is enrolled by that name", path, name);
      return false;
    }
    if (asked_for && is_by_the_enrolled(task)) return true;
    finding.origin = origin_of(task);
    finding.standing = schema::Standing::STALE;
    if (asked_for) {
      finding.why = fmt::format(
          "{} was carried out by another agent than the one that is enrolled "
          "as '{}' now",
          path, task.agent);
      return false;
    }
    finding.why =
        fmt::format("lab.toml asks for another {} than the one that was carried out", path);
    return false;
  }
  /// What an agent before it did was done to another system, unless it was reinstalled by the plan.
  bool is_by_the_enrolled(const TaskRecord& task) const {
    const auto agent = state_.agents().find(task.agent);
    const auto* signer = state_.agent_by_key(task.evidence->signer);
    return agent != state_.agents().end() && signer != nullptr &&
           agent->second.answers_for(task.evidence->signer) &&
           view(task.evidence->report.reader().getMachineId()) == signer->machine_id;
  }
  bool succeeded_before(const TaskRecord& last) const {
    return std::ranges::any_of(state_.tasks(), [&](const auto& known) {
      return known.second.step == last.step && !known.second.check && has_succeeded(known.second);
    });
  }

  const State& state_;
  const std::string& phase_;
  std::map<std::string, const TaskRecord*> last_;
};

}  // namespace

std::map<std::string, const TaskRecord*> settled_deeds(const std::string& phase,
                                                       const Evidences& evidences) {
  for (const auto candidate : evidences.lab.getPlan().getPhases()) {
    if (view(candidate.getName()) != phase) continue;
    return PhaseJudge(evidences.state, phase).deeds_done(candidate);
  }
  return {};
}

Verdict phase_complete(Phase phase, const Evidences& evidences) {
  const auto name = str(phase.getName());
  Verdict verdict{.condition = "phase.complete"};
  if (has_steps(phase))
    verdict.findings = {PhaseJudge(evidences.state, name).judge(phase)};
  else
    verdict.findings = {{.subject = fmt::format("phase {}", name),
                         .why = "it has no steps in lab.toml: nothing is automated, so nothing "
                                "is done"}};
  return verdict;
}

}  // namespace relab::controller
