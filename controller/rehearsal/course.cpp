#include "controller/rehearsal/course.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/wire/message.h"
#include "controller/plan/plan.h"

namespace relab::rehearsal {

namespace {

std::string outcome_of(const controller::TaskRecord& task) {
  if (!task.refusal.empty()) return "refused";
  if (!task.evidence) return task.abandoned.empty() ? "waiting" : "given up";
  switch (task.evidence->report.reader().getOutcome()) {
    case schema::Outcome::SUCCEEDED:
      return "succeeded";
    case schema::Outcome::REFUSED:
      return "refused";
    case schema::Outcome::CANCELLED:
      return "cancelled";
    case schema::Outcome::FAILED:
      return "failed";
    case schema::Outcome::UNKNOWN:
    case schema::Outcome::UNSET:
      break;
  }
  return "unknown";
}

const controller::TaskRecord* last_task(const controller::State& state, const std::string& path) {
  const controller::TaskRecord* last = nullptr;
  for (const auto& [id, task] : state.tasks())
    if (task.step == path && (last == nullptr || task.first_ordered > last->first_ordered))
      last = &task;
  return last;
}

/// "0a/0a-zfs/zfs" without the phase and the track.
std::string step_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

Course course_of(schema::Lab::Reader lab, const controller::State& state, Instant began) {
  Course course{.began = began, .ended = began, .bars = {}};
  for (const auto phase : lab.getPlan().getPhases()) {
    const auto plan = controller::compile_phase(lab, str(phase.getName()));
    if (!plan) continue;
    for (unsigned i = 0; i < phase.getTracks().size(); ++i) {
      for (const auto& step : plan->tracks.at(i)) {
        const auto* task = last_task(state, step.path);
        if (task == nullptr) continue;
        Bar bar{.phase = str(phase.getName()),
                .track = str(phase.getTracks()[i].getName()),
                .step = step_name(step.path),
                .agent = task->agent,
                .began = task->ordered,
                .ended = task->ordered,
                .outcome = outcome_of(*task),
                .person = !step.instruction.empty()};
        if (task->evidence) {
          const auto report = task->evidence->report.reader();
          bar.began = instant_of(report.getStartedAt());
          bar.ended = instant_of(report.getEndedAt());
        }
        course.ended = std::max(course.ended, bar.ended);
        course.bars.push_back(std::move(bar));
      }
    }
  }
  return course;
}

}  // namespace relab::rehearsal
