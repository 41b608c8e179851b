#pragma once

/// The plan of a lab, compiled: what each phase orders from whom.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/wire/message.h"
#include "schema/lab.capnp.h"
#include "schema/task.capnp.h"

namespace relab::controller {

struct PlannedStep {
  /// "0a/zfs/zfs": phase, track, step.
  std::string path;
  std::string agent;
  /// The task kind.
  std::string arm;
  std::chrono::seconds deadline;
  /// A new attempt is safe after an unknown outcome.
  bool convergent = false;
  std::shared_ptr<const Message<schema::Task>> task;
};

struct PhasePlan {
  std::string name;
  std::string title;
  /// Side by side; within a track in order.
  std::vector<std::vector<PlannedStep>> tracks;

  std::size_t step_count() const;
};

/// Fault::missing, with the nearest name, if the lab has no such phase.
Result<PhasePlan> compile_phase(schema::Lab::Reader lab, const std::string& phase);

/// The names of all phases, in the order of the file.
std::vector<std::string> phase_names(schema::Lab::Reader lab);

/// The hosts and guests of the lab, by name.
std::vector<std::string> agent_names(schema::Lab::Reader lab);

}  // namespace relab::controller
