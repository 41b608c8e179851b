#include "controller/plan/plan.h"

#include <fmt/format.h>

#include "common/base/time.h"
#include "common/reflect/notes.h"
#include "common/reflect/secrets.h"
#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/cli/page/parts.h"
#include "controller/cli/show_secrets.h"

namespace relab::controller::cli {

nlohmann::json step_json(const PlannedStep& step) {
  nlohmann::json json = {{"step", step.path},
                         {"agent", step.agent},
                         {"kind", reflect::snake_case(step.arm)},
                         {"deadlineSeconds", step.deadline.count()}};
  if (const auto names = reflect::secrets_of(step.task->reader()); !names.empty())
    json["secrets"] = names;
  return json;
}

namespace {

nlohmann::json to_json(const PhasePlan& plan) {
  auto tracks = nlohmann::json::array();
  for (const auto& track : plan.tracks) {
    auto steps = nlohmann::json::array();
    for (const auto& step : track) steps.push_back(step_json(step));
    tracks.push_back(std::move(steps));
  }
  return {{"phase", plan.name}, {"title", plan.title}, {"tracks", std::move(tracks)}};
}

void print(const PhasePlan& plan, Printer& out) {
  out.line(fmt::format("{}  {}", out.bold(plan.name), plan.title));
  for (const auto& track : plan.tracks)
    for (const auto& step : track)
      out.line(fmt::format("    {:32} {:16} on {:16} within {}", step.path,
                           reflect::snake_case(step.arm), step.agent, human(step.deadline)));
  if (plan.step_count() == 0) out.line("    no steps yet: this phase is never taken for done");
}

}  // namespace

ExitCode plan(const Values& values, Context& context) {
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto wanted = argument_of(values, 0);
  auto list = nlohmann::json::array();
  SecretUsers users;
  for (const auto& name : wanted.empty() ? phase_names(lab->reader()) : std::vector{wanted}) {
    const auto compiled = compile_phase(lab->reader(), name);
    if (!compiled) {
      context.out().error(compiled.error());
      return ExitCode::usage;
    }
    print(*compiled, context.out());
    list.push_back(to_json(*compiled));
    for (auto& [secret, steps] : secret_users(*compiled))
      users[secret].insert(users[secret].end(), steps.begin(), steps.end());
  }
  show_secrets(context, lab->reader(), users);
  context.out().value(list);
  return ExitCode::done;
}

}  // namespace relab::controller::cli
