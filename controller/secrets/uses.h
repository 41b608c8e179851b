#pragma once

/// What the plan uses secrets for, and whether it can have them.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "controller/plan/plan.h"
#include "controller/secrets/store.h"

namespace relab::controller {

/// Where the values of secrets come from, by name. Fault::missing if there is none of that name.
using SecretSource = std::function<Result<StoredSecret>(const std::string& name)>;

/// A step that uses a secret, and the one agent that gets it.
struct SecretUser {
  std::string step;
  std::string agent;

  bool operator==(const SecretUser&) const = default;
};

/// By the names of secrets, in the order of the plan.
using SecretUsers = std::map<std::string, std::vector<SecretUser>>;

SecretUsers secret_users(const PhasePlan& plan);
/// Of all phases.
SecretUsers secret_users(schema::Lab::Reader lab);

/// That each of them is there. Fault::missing if not, with all that are missing, the first step
/// that waits for each, and what stores them.
Result<void> check_secrets(const SecretUsers& users, const SecretSource& source);

}  // namespace relab::controller
