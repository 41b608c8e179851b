#pragma once

/// Whether systemd can be asked here.

#include <string_view>

#include "agent/host/host.h"

namespace relab::agent {

inline constexpr std::string_view no_systemd = "systemd is not running on this machine";

/// False only if nothing speaks for it: a systemd that is there and does not answer is no absence.
bool systemd_runs(Host& host);

}  // namespace relab::agent
