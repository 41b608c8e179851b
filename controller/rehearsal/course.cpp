#include "controller/rehearsal/course.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/wire/message.h"
#include "controller/plan/plan.h"
#include "controller/report/task_state.h"

namespace relab::rehearsal {

namespace {

/// "0a/0a-zfs/zfs" without the phase and the track.
std::string step_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

Course course_of(schema::Lab::Reader lab, const controller::State& state, Instant began) {
  Course course{.began = began, .ended = began, .bars = {}};
  for (const auto phase : lab.getPlan().getPhases()) {
    const auto plan = controller::compile_phase(lab, str(phase.getName()));
    const auto* run = state.last_run(str(phase.getName()));
    if (!plan || run == nullptr) continue;
    for (unsigned i = 0; i < phase.getTracks().size(); ++i) {
      for (const auto& step : plan->tracks.at(i)) {
        const auto* task = controller::last_task(state, run->id, step.path);
        if (task == nullptr) continue;
        Bar bar{.phase = str(phase.getName()),
                .track = str(phase.getTracks()[i].getName()),
                .step = step_name(step.path),
                .agent = task->agent,
                .began = task->ordered,
                .ended = task->ordered,
                .outcome = controller::task_state(*task),
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
