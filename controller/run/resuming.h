#pragma once

/// Where an earlier controller had got to with a run.

#include <string>
#include <vector>

#include "controller/engine/engine.h"
#include "controller/state/state.h"

namespace relab::controller {

/// What failed, with what to do about it.
std::string words_of(schema::Failure::Reader failure);

/// What the ledger knows of the steps of a run. An agent that was to be brought, and is known to
/// nobody, was not brought.
std::vector<Resumed> resumed_steps(const State& state, const RunId& run);

}  // namespace relab::controller
