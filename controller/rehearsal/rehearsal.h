#pragma once

/// An operator's plan, executed from its first phase to where it stops, over simulated machines.

#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "controller/rehearsal/course.h"
#include "controller/rehearsal/faults.h"
#include "controller/rehearsal/onlooker.h"
#include "controller/rehearsal/stage.h"
#include "schema/world.capnp.h"

namespace relab::rehearsal {

class Set;

/// What became of a phase.
struct RehearsedPhase {
  std::string name;
  std::string title;
  /// None: nothing of it is automated, and nothing goes beyond it.
  std::size_t steps = 0;
  /// It installs a host anew, which the simulation does not play: nothing goes beyond it.
  bool installs = false;
  PhaseEnd end = {};
  /// What it must show before anything after it may start.
  controller::Gate proof = {};

  bool complete() const { return steps != 0 && end.ran && end.failed == 0 && proof.open; }
};

/// What a person should know before the real thing.
struct Trouble {
  enum class Kind {
    failed,      ///< a step
    unwell,      ///< a pool, when it is over
    clashes,     ///< what lab.toml says, with what a machine is
    unmet,       ///< a condition of a gate
    waits,       ///< for somebody
    missing,     ///< steps, or an agent
    lost,        ///< by a new installation, and nobody has decided so
    untrue,      ///< a success of a step, or what a gate rests on
    not_played,  ///< the simulation does not know how a machine would answer
  };
  Kind kind;
  std::string where;
  std::string what;
  /// What would help; may be empty.
  std::string hint = {};
};

/// What a person was asked for, and did; on the day nobody does it by itself.
struct Request {
  std::string step;
  std::string agent;
  std::string what;
  /// Empty: it is done by hand.
  std::string command = {};
};

class Rehearsal {
 public:
  struct Setting {
    /// Borrowed.
    const Message<schema::Lab>& lab;
    /// One for each host of the lab.
    std::vector<Message<schema::World>> worlds;
    /// Its ledger and the journals of its agents go there; it is made, and must not be there yet.
    std::filesystem::path folder;
    Instant begin;
    std::vector<FaultWish> faults = {};
    /// What is known to be wrong beforehand.
    std::vector<Trouble> known = {};
  };
  /// Fault::conflict if the folder is there, ::missing if a host has no world, ::invalid for a
  /// fault of something that is not there.
  static Result<std::unique_ptr<Rehearsal>> make(Setting setting);
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;
  ~Rehearsal();

  /// As far as the gates allow. An error only where the rehearsal itself cannot go on.
  Result<void> run(Onlooker& onlooker);

  const std::vector<RehearsedPhase>& phases() const { return phases_; }
  /// Each told once, in the order in which they matter.
  std::vector<Trouble> troubles() const;
  Course course() const;
  /// In the order of the plan.
  std::vector<Request> requests() const;
  /// Sentences on what it rests on.
  std::vector<std::string> assumptions() const;
  /// Faults that were asked for, and never came about.
  std::vector<std::string> faults_left() const;
  /// Sentences on those that did.
  std::vector<std::string> faults_met() const;
  const Stage& stage() const { return *stage_; }
  /// The machines, as the rehearsal leaves them.
  Set& set() { return *set_; }
  Instant began() const { return setting_.begin; }
  const std::filesystem::path& folder() const { return setting_.folder; }

 private:
  explicit Rehearsal(Setting setting);
  void add_pools(std::vector<Trouble>& troubles) const;
  void add_disks(std::vector<Trouble>& troubles) const;
  Result<void> open();
  Result<void> enrol_hosts();
  /// Agents of guests that are there already, which no step brings: a person did.
  Result<void> enrol_guests();
  /// Whether what the gate behind this phase rests on is still so.
  void doubt(const RehearsedPhase& phase);
  /// Whether a success is one.
  void doubt(const std::string& agent, schema::Order::Reader order);
  bool may_come_next(schema::Lab::Phase::Reader phase) const;

  Setting setting_;
  std::unique_ptr<Faults> faults_;
  std::unique_ptr<Set> set_;
  std::unique_ptr<Stage> stage_;
  std::vector<RehearsedPhase> phases_;
  std::vector<std::string> assumptions_;
  std::vector<Trouble> lies_;
};

}  // namespace relab::rehearsal
