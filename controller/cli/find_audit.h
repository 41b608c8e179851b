#pragma once

/// Audits by the names that people give them.

#include <string>

#include "controller/state/state.h"

namespace relab::controller::cli {

/// "last", "last~N", or the beginning or end of a run's id. Fault::missing with what there is.
Result<const RunRecord*> find_audit(const State& state, const std::string& name);

}  // namespace relab::controller::cli
