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

Bar bar_of(const controller::TaskRecord& task) {
  Bar bar{.phase = {},
          .track = {},
          .step = step_name(task.step),
          .attempt = task.attempt,
          .agent = task.agent,
          .began = task.ordered,
          .ended = task.ordered,
          .outcome = controller::task_state(task)};
  if (!task.evidence) return bar;
  const auto report = task.evidence->report.reader();
  if (report.getStartedAt() != 0) bar.began = instant_of(report.getStartedAt());
  bar.ended = std::max(bar.began, instant_of(report.getEndedAt()));
  return bar;
}

}  // namespace

std::string Bar::name() const {
  return fmt::format("{}/{}{}", track, step, attempt < 2 ? "" : fmt::format(" ({})", attempt));
}

Course course_of(schema::Lab::Reader lab, const controller::State& state, Instant began) {
  Course course{.began = began, .ended = began, .bars = {}};
  for (const auto phase : lab.getPlan().getPhases()) {
    const auto plan = controller::compile_phase(lab, str(phase.getName()));
    const auto* run = state.last_run(str(phase.getName()));
    if (!plan || run == nullptr) continue;
    for (unsigned i = 0; i < phase.getTracks().size(); ++i) {
      for (const auto& step : plan->tracks.at(i)) {
        for (const auto* task : controller::attempts_at(state, run->id, step.path)) {
          auto bar = bar_of(*task);
          bar.phase = str(phase.getName());
          bar.track = str(phase.getTracks()[i].getName());
          bar.person = !step.instruction.empty();
          course.ended = std::max(course.ended, bar.ended);
          course.bars.push_back(std::move(bar));
        }
      }
    }
  }
  return course;
}

}  // namespace relab::rehearsal
