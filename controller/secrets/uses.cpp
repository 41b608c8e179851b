#include "controller/secrets/uses.h"

#include <fmt/format.h>

#include "common/reflect/secrets.h"

namespace relab::controller {

namespace {

void add_users(const PhasePlan& plan, SecretUsers& users) {
  for (const auto& track : plan.tracks)
    for (const auto& step : track)
      for (const auto& name : reflect::secrets_of(step.task->reader()))
        users[name].push_back({.step = step.path, .agent = step.agent});
}

}  // namespace

SecretUsers secret_users(const PhasePlan& plan) {
  SecretUsers users;
  add_users(plan, users);
  return users;
}

SecretUsers secret_users(schema::Lab::Reader lab) {
  SecretUsers users;
  for (const auto& phase : phase_names(lab))
    if (const auto plan = compile_phase(lab, phase)) add_users(*plan, users);
  return users;
}

Result<void> check_secrets(const SecretUsers& users, const SecretSource& source) {
  std::vector<std::string> missing;
  std::vector<std::string> commands;
  for (const auto& [name, steps] : users) {
    const auto value = source(name);
    if (value) continue;
    if (value.error().fault != Fault::missing) return fail(value.error());
    missing.push_back(fmt::format("'{}' (for {} on {})", name, steps[0].step, steps[0].agent));
    commands.push_back(fmt::format("`relab secret set {}`", name));
  }
  if (missing.empty()) return {};
  return fail(Fault::missing,
              fmt::format("no secret {} is stored: nothing was ordered", fmt::join(missing, ", ")),
              fmt::format("{}, then run it again", fmt::join(commands, ", ")));
}

}  // namespace relab::controller
