#pragma once

/// The controller on a simulated machine: the real driver, engine, sessions, ledger and state, over
/// a simulated disk, network and clock. Whoever operates it starts `relab run` again whenever it
/// has ended without being done; has the disks looked at when evidence is missing, and approves of
/// what is to be destroyed.

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
  /// A look at all disks, as a phase of that name.
  using MakeAudit = std::function<controller::PhasePlan(const std::string& phase)>;

  SimController(const World& world, crypto::Keys keys, std::vector<Enrolled> agents,
                MakeAudit audit);
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
  /// What each step that has not ended waits for, in words.
  std::string waits() const;
  /// The phase that was assigned last has run to its end.
  bool done() const { return done_; }
  void turn_clock(Millis by) { clock_off_ += by; }
  void set_clock_right() { clock_off_ = Millis(0); }

  Disk disk;

 private:
  struct Life;
  Now now() const;
  Result<void> stalled();
  Result<void> approve();
  void live(const std::function<Result<void>()>& act);
  Result<void> open_book();
  Result<void> begin_run();
  Result<void> conclude();
  /// Ends the command once what was sent last has arrived.
  void leave();
  void check_against_ledger() const;

  World world_;
  crypto::Keys keys_;
  std::vector<Enrolled> agents_;
  std::string phase_;
  MakePlan plan_;
  MakeAudit audit_;
  /// What is run in between: a look at the disks, under this name.
  std::string detour_;
  std::uint64_t detours_ = 0;
  Instant look_again_{};
  Instant not_before_{};
  std::unique_ptr<Life> life_;
  bool done_ = false;
  /// The run has ended; only what was sent is still on its way.
  bool leaving_ = false;
  Millis clock_off_{0};
};

}  // namespace relab::sim
