#pragma once

/// One simulated lab, grown from a seed: agents, a plan, a time of faults, and then peace, in which
/// everything must come to its end.

#include <memory>
#include <vector>

#include "tests/simulation/sim_agent.h"
#include "tests/simulation/sim_controller.h"

namespace relab::sim {

struct Verdict {
  bool held = true;
  /// Why not, and the last events before it.
  std::string why;
  std::vector<std::string> trace;
  Counts counts;
  /// How many faults there were, those that were muted too.
  unsigned faults = 0;
};

class World {
 public:
  /// Faults whose numbers are muted do not happen: 0 is the weather, 1 are deaths at a write, and
  /// the others are counted from 2 in the order in which they strike.
  using Faults = std::set<unsigned>;
  World(std::uint64_t seed, Plant plant, Faults muted = {});
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  /// To the end, or to the first invariant that does not hold.
  Verdict run();

 private:
  struct Step {
    std::string path;
    std::size_t agent;
    bool convergent;
    bool first;  ///< of its track
    bool wipes = false;
    bool readdresses = false;
    std::string address = {};

    std::string arm() const { return wipes ? "wipeDisk" : readdresses ? "ipAddresses" : "ping"; }
  };
  void grow();
  void make_agents(std::size_t count);
  Bytes forge(std::size_t agent, ByteView heard);
  controller::PhasePlan plan(const std::string& phase, const std::vector<Step>& steps) const;
  /// A look at the disks of all agents.
  controller::PhasePlan look(const std::string& phase);
  void run_in_peace(const std::string& phase, const SimController::MakePlan& plan);
  std::vector<Step> draw_steps(const std::string& phase, std::uint64_t per_track);

  void keep_agent_awake(std::size_t agent);
  void keep_controller_awake();
  void next_fault();
  void strike();
  void strike_agent(std::size_t agent, Chance& fate);
  void peace();
  void note(std::string what);
  bool advance_until(const std::function<bool()>& reached, Millis most);
  void live_through();

  Plant plant_;
  Chance chance_;
  /// Of the faults, apart from all others: one that is left out moves no other.
  Chance fate_;
  Timeline timeline_;
  Watch watch_;
  std::unique_ptr<Network> network_;
  std::vector<std::unique_ptr<SimAgent>> agents_;
  std::unique_ptr<SimController> controller_;
  std::optional<crypto::Keys> stranger_;
  std::vector<Step> steps_;
  bool peace_ = false;
  Faults muted_;
  unsigned faults_ = 2;
  /// Agents that died and are about to be started.
  std::set<std::size_t> restarting_;
  std::vector<std::string> trace_;
};

/// The same failure, or another one, with as few faults as single omissions can reach: what is left
/// is needed for it. `failed` is what the seed came to with all of them.
Verdict minimised(std::uint64_t seed, Plant plant, Verdict failed);

}  // namespace relab::sim
