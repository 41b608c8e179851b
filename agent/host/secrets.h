#pragma once

/// The secrets that came with the order of a task, opened, by name: guarded memory, zeroed when
/// they go.

#include <map>
#include <string>

#include "common/crypto/secret.h"

namespace relab::agent {

using Secrets = std::map<std::string, crypto::Secret, std::less<>>;

}  // namespace relab::agent
