#pragma once

/// What is said where a program is not there.

#include <string>

#include "common/base/result.h"

namespace relab::agent {

/// Fault::missing; the hint names Debian's package where relab's own only recommends it.
Error no_program(const std::string& name);

}  // namespace relab::agent
