#pragma once

/// What a task's work came to, as its end.

#include <optional>

#include "agent/kinds/carry_out.h"
#include "agent/worker/workers.h"

namespace relab::agent {

/// A stop that came too late to matter changes nothing.
void take_work(Work work, std::optional<StopReason> stopped, TaskEnd& end);

}  // namespace relab::agent
