#pragma once

/// What became of a task, in the words of docs/formats/report.md.

#include <string>
#include <vector>

#include "controller/state/state.h"

namespace relab::controller {

/// "succeeded", "refused", "given_up", "running" ...
std::string task_state(const TaskRecord& task);

/// All attempts at a step in a run, in their order.
std::vector<const TaskRecord*> attempts_at(const State& state, const RunId& run,
                                           const std::string& path);

/// The last attempt at a step in a run; null if it was not ordered there.
const TaskRecord* last_task(const State& state, const RunId& run, const std::string& path);

}  // namespace relab::controller
