#pragma once

/// Agents that a host's agent brought into guests, as its reports tell of them.

#include <string>

#include "controller/state/state.h"

namespace relab::controller {

/// The agent that the task is to bring, by its name; empty: the task brings none.
std::string planted_name(const TaskRecord& task);

/// Who came. Fault::missing if the task did not succeed, or only looked, ::damaged if what it
/// reported is no identity, or that of an agent with another name.
Result<Party> planted_party(const TaskRecord& task);

/// Why the agent cannot be taken for the one of that name: its key is that of another one. Empty:
/// it can.
std::string planting_conflict(const State& state, const std::string& name, const Party& party);

}  // namespace relab::controller
