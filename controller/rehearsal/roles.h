#pragma once

/// Manifests of the roles that agents have, as their packages bring them.

#include <functional>
#include <map>
#include <string>

namespace relab::rehearsal {

/// JSON, by the role's name; made of packaging/roles.
const std::map<std::string, std::string, std::less<>>& role_manifests();

}  // namespace relab::rehearsal
