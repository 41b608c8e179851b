// Whether a part of the plan can have the secrets that it uses, before anything of it is ordered.

#include "controller/cli/run_part.h"
#include "controller/secrets/store.h"

namespace relab::controller::cli {

SecretSource PartRunner::secrets() const {
  return [this, store = SecretStore(context_.secret_file())](const std::string& name) {
    return store.get(opened_.keys, {.lab = str(lab_.reader().getName()), .name = name});
  };
}

std::optional<PartEnd> PartRunner::stopped_for_secrets(const PhasePlan& plan,
                                                       const std::set<std::string>& ordered) {
  auto users = secret_users(plan);
  for (auto& [name, steps] : users)
    std::erase_if(steps, [&](const SecretUser& user) { return ordered.contains(user.step); });
  std::erase_if(users, [](const auto& use) { return use.second.empty(); });
  const auto there = check_secrets(users, secrets());
  if (there) return {};
  auto end = failed(there.error());
  if (there.error().fault != Fault::missing) return end;
  end.code = ExitCode::usage;
  end.value = {{"phase", plan.name}, {"missingSecrets", nlohmann::json::array()}};
  for (const auto& [name, steps] : users)
    if (!secrets()(name)) end.value["missingSecrets"].push_back(name);
  return end;
}

}  // namespace relab::controller::cli
