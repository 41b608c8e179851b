#include "controller/plan/plan.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <optional>

#include "common/base/text.h"
#include "common/reflect/notes.h"
#include "common/reflect/union.h"

namespace relab::controller {

namespace {

std::string brought_by(schema::Task::Reader task) {
  return task.isAgentInstall() ? str(task.getAgentInstall().getName()) : std::string();
}

PlannedStep compile_step(const std::string& track_path, schema::Lab::Track::Reader track,
                         schema::Lab::Step::Reader step) {
  Draft<schema::Task> task(step.getTask());
  std::string arm(reflect::member_of(capnp::toDynamic(step.getTask())));
  const auto notes = reflect::notes_of_kind(arm);
  return {.path = track_path + "/" + str(step.getName()),
          .agent = str(track.getAgent()),
          .arm = arm,
          .deadline = std::chrono::seconds(step.getDeadline()),
          .convergent = notes.convergent,
          .destructive = notes.destructive,
          .needs = notes.needs,
          .confirm_within = std::chrono::seconds(notes.commit_confirmed ? step.getConfirm() : 0),
          .instruction = str(step.getInstruction()),
          .patience = std::chrono::seconds(track.getPatience()),
          .brings = brought_by(step.getTask()),
          .task = std::make_shared<const Message<schema::Task>>(std::move(task).finish())};
}

}  // namespace

std::size_t PhasePlan::step_count() const {
  return std::accumulate(tracks.begin(), tracks.end(), std::size_t{0},
                         [](std::size_t sum, const auto& track) { return sum + track.size(); });
}

namespace {

using Phase = schema::Lab::Phase::Reader;

std::optional<Phase> find_phase(schema::Lab::Reader lab, const std::string& name) {
  for (const auto phase : lab.getPlan().getPhases())
    if (view(phase.getName()) == name) return phase;
  return {};
}

/// No two phases have a track of one name: that is checked when the lab file is read.
std::optional<Part> find_track(schema::Lab::Reader lab, const std::string& phase,
                               const std::string& name) {
  for (const auto candidate : lab.getPlan().getPhases())
    for (const auto track : candidate.getTracks())
      if (view(track.getName()) == name && (phase.empty() || view(candidate.getName()) == phase))
        return Part{.phase = str(candidate.getName()), .track = name};
  return {};
}

Error no_part(schema::Lab::Reader lab, const std::string& word) {
  const auto names = phase_names(lab);
  const auto near = nearest(word, names);
  return {.fault = Fault::missing,
          .what = fmt::format("the lab '{}' has no phase '{}', and no track of that name",
                              str(lab.getName()), word),
          .hint = near.empty() ? fmt::format("its phases are {}; `relab plan` shows their tracks",
                                             fmt::join(names, ", "))
                               : fmt::format("did you mean '{}'?", near)};
}

void add_conditions(std::string_view what, Phase phase,
                    const capnp::List<schema::Lab::Condition>::Reader& conditions,
                    std::vector<std::string>& words) {
  for (const auto condition : conditions)
    words.push_back(fmt::format("{} {}: {}, at most {} s old{}", view(phase.getName()), what,
                                view(condition.getName()), condition.getMaxAge(),
                                condition.getAbsolute() ? ", absolute" : ""));
}

void visit(schema::Lab::Reader lab, const std::string& name, std::vector<std::string>& order) {
  const auto phase = find_phase(lab, name);
  if (!phase || std::ranges::find(order, name) != order.end()) return;
  for (const auto before : phase->getAfter()) visit(lab, str(before), order);
  order.push_back(name);
}

std::vector<std::string> conditions_of(schema::Lab::Reader lab, Phase phase) {
  std::vector<std::string> words;
  add_conditions("has the gate", phase, phase.getGate(), words);
  std::vector<std::string> order;
  visit(lab, str(phase.getName()), order);
  for (const auto& name : order) {
    const auto before = find_phase(lab, name);
    for (const auto earlier : before->getAfter())
      words.push_back(fmt::format("{} is after {}", name, view(earlier)));
    if (name != view(phase.getName()))
      add_conditions("proves", *before, before->getProves(), words);
  }
  return words;
}

}  // namespace

Result<Part> find_part(schema::Lab::Reader lab, const std::string& word) {
  if (find_phase(lab, word)) return Part{.phase = word};
  const auto slash = word.find('/');
  const auto found = slash == std::string::npos
                         ? find_track(lab, {}, word)
                         : find_track(lab, word.substr(0, slash), word.substr(slash + 1));
  return found ? Result<Part>(*found) : fail(no_part(lab, word));
}

Result<PhasePlan> compile_part(schema::Lab::Reader lab, const Part& part) {
  const auto phase = find_phase(lab, part.phase);
  if (!phase) return fail(no_part(lab, part.phase));
  PhasePlan plan{.name = part.phase,
                 .title = str(phase->getTitle()),
                 .tracks = {},
                 .conditions = conditions_of(lab, *phase)};
  for (const auto track : phase->getTracks()) {
    if (!part.track.empty() && view(track.getName()) != part.track) continue;
    auto& steps = plan.tracks.emplace_back();
    for (const auto step : track.getSteps())
      steps.push_back(compile_step(part.phase + "/" + str(track.getName()), track, step));
  }
  if (plan.tracks.empty()) return fail(no_part(lab, part.text()));
  return plan;
}

Result<PhasePlan> compile_phase(schema::Lab::Reader lab, const std::string& phase) {
  return compile_part(lab, {.phase = phase});
}

std::vector<std::string> phases_in_order(schema::Lab::Reader lab, const std::string& until) {
  std::vector<std::string> order;
  if (!until.empty()) {
    visit(lab, until, order);
    return order;
  }
  for (const auto& name : phase_names(lab)) visit(lab, name, order);
  return order;
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
