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
  /// Its kind destroys something: a person has to approve of it.
  bool destructive = false;
  /// Evidence that its kind needs, by name.
  std::vector<std::string> needs = {};
  /// Its change is undone unless it is confirmed within this time; 0: its kind needs no such thing.
  std::chrono::seconds confirm_within = {};
  /// What a person has to do for it.
  std::string instruction = {};
  /// How long the agent may be away; 0: as long as any.
  std::chrono::seconds patience = {};
  /// The agent that it brings into a guest, by name; empty: none.
  std::string brings = {};
  std::shared_ptr<const Message<schema::Task>> task;

  /// It is ordered only while its clearance holds.
  bool guarded() const { return destructive || !needs.empty(); }
};

struct PhasePlan {
  std::string name;
  std::string title;
  /// Side by side; within a track in order.
  std::vector<std::vector<PlannedStep>> tracks;
  /// What has to hold before its first step, in words: its gate, the phases before it, and what
  /// those have to show.
  std::vector<std::string> conditions = {};

  std::size_t step_count() const;
};

/// A phase, or one track of it.
struct Part {
  std::string phase;
  /// Empty: all of them.
  std::string track = {};

  /// "2" or "2/2b".
  std::string text() const { return track.empty() ? phase : phase + "/" + track; }
  bool operator==(const Part&) const = default;
};

/// What "2", "2b" or "2/2b" names: a phase, or a track of one. Fault::missing, with the nearest
/// name, if the lab has none of that name.
Result<Part> find_part(schema::Lab::Reader lab, const std::string& word);

/// Fault::missing, with the nearest name, if the lab has no such phase or track.
Result<PhasePlan> compile_part(schema::Lab::Reader lab, const Part& part);
Result<PhasePlan> compile_phase(schema::Lab::Reader lab, const std::string& phase);

/// The names of all phases, each behind those in its `after`; otherwise in the order of the file.
/// Up to the phase `until`, and only those that it waits for; empty: all of them.
std::vector<std::string> phases_in_order(schema::Lab::Reader lab, const std::string& until = {});

/// The names of all phases, in the order of the file.
std::vector<std::string> phase_names(schema::Lab::Reader lab);

/// The hosts and guests of the lab, by name.
std::vector<std::string> agent_names(schema::Lab::Reader lab);

}  // namespace relab::controller
