#pragma once

/// The controller on a simulated machine: the real driver, engine, sessions, ledger and state, over
/// a simulated disk, network and clock. Whoever operates it starts `relab run` again whenever it
/// has ended without being done.

#include <memory>
#include <optional>
#include <vector>

#include "controller/run/driver.h"
#include "tests/simulation/disk.h"
#include "tests/simulation/network.h"

namespace relab::sim {

/// One agent as it was enrolled.
struct Enrolled {
  std::string name;
  Party party;
};

class SimController {
 public:
  struct World {
    Timeline& timeline;
    Chance& chance;
    Watch& watch;
    Network& network;
    Plant plant;
  };
  using MakePlan = std::function<controller::PhasePlan()>;

  SimController(const World& world, crypto::Keys keys, std::vector<Enrolled> agents);
  ~SimController();
  SimController(const SimController&) = delete;
  SimController& operator=(const SimController&) = delete;

  /// What is to be run now: a phase by this name.
  void assign(const std::string& phase, MakePlan plan);
  /// Begins the run, or carries on with it.
  void start();
  void step();
  void die();
  bool lives() const { return life_ != nullptr; }
  /// The phase that was assigned last has run to its end.
  bool done() const { return done_; }
  void turn_clock(Millis by) { clock_off_ += by; }
  const std::vector<controller::StoredEntry>& ledger() const { return kept_; }

  Disk disk;

 private:
  struct Life;
  Now now() const;
  void live(const std::function<Result<void>()>& act);
  Result<void> begin_run();
  Result<void> conclude();
  void check_against_ledger() const;

  World world_;
  crypto::Keys keys_;
  std::vector<Enrolled> agents_;
  std::string phase_;
  MakePlan plan_;
  std::vector<controller::StoredEntry> kept_;
  std::unique_ptr<Life> life_;
  bool done_ = false;
  Millis clock_off_{0};
};

}  // namespace relab::sim
