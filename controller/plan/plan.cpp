#include "controller/plan/plan.h"

#include <fmt/format.h>
#include <numeric>

#include "common/base/text.h"
#include "common/reflect/notes.h"
#include "common/reflect/union.h"

namespace relab::controller {

namespace {

bool convergent(std::string_view arm) {
  const auto schema = capnp::Schema::from<schema::Task>();
  return reflect::notes_of(schema.getFieldByName(std::string(arm))).convergent;
}

PlannedStep compile_step(const std::string& track_path, schema::Lab::Track::Reader track,
                         schema::Lab::Step::Reader step) {
  Draft<schema::Task> task(step.getTask());
  std::string arm(reflect::member_of(capnp::toDynamic(step.getTask())));
  return {.path = track_path + "/" + str(step.getName()),
          .agent = str(track.getAgent()),
          .arm = arm,
          .deadline = std::chrono::seconds(step.getDeadline()),
          .convergent = convergent(arm),
          .task = std::make_shared<const Message<schema::Task>>(std::move(task).finish())};
}

}  // namespace

std::size_t PhasePlan::step_count() const {
  return std::accumulate(tracks.begin(), tracks.end(), std::size_t{0},
                         [](std::size_t sum, const auto& track) { return sum + track.size(); });
}

Result<PhasePlan> compile_phase(schema::Lab::Reader lab, const std::string& phase) {
  for (const auto candidate : lab.getPlan().getPhases()) {
    if (view(candidate.getName()) != phase) continue;
    PhasePlan plan{.name = phase, .title = str(candidate.getTitle()), .tracks = {}};
    for (const auto track : candidate.getTracks()) {
      auto& steps = plan.tracks.emplace_back();
      for (const auto step : track.getSteps())
        steps.push_back(compile_step(phase + "/" + str(track.getName()), track, step));
    }
    return plan;
  }
  const auto names = phase_names(lab);
  const auto near = nearest(phase, names);
  return fail(Fault::missing,
              fmt::format("the lab '{}' has no phase '{}'", str(lab.getName()), phase),
              near.empty() ? fmt::format("its phases are {}", fmt::join(names, ", "))
                           : fmt::format("did you mean '{}'?", near));
}

std::vector<std::string> phase_names(schema::Lab::Reader lab) {
  std::vector<std::string> names;
  for (const auto phase : lab.getPlan().getPhases()) names.push_back(str(phase.getName()));
  return names;
}

std::vector<std::string> agent_names(schema::Lab::Reader lab) {
  std::vector<std::string> names;
  for (const auto host : lab.getHosts()) names.push_back(str(host.getName()));
  for (const auto guest : lab.getGuests()) names.push_back(str(guest.getName()));
  return names;
}

}  // namespace relab::controller
