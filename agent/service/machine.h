#pragma once

/// What identifies the machine and this boot of it.

#include <string>

#include "common/crypto/keys.h"

namespace relab::agent {

/// /etc/machine-id, or where a machine has none, a name made from the agent's own key.
std::string machine_id(const crypto::Keys& keys);
/// Changes with every boot.
std::string boot_id();

}  // namespace relab::agent
