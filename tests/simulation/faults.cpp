// What befalls a world, and what it takes of that to make it fail.

#include <fmt/format.h>

#include "tests/simulation/world.h"

namespace relab::sim {

void World::next_fault() {
  if (peace_) return;
  timeline_.after(fate_.between(Millis(50), Millis(6000)), [this] {
    if (!peace_) strike();
    next_fault();
  });
}

void World::strike() {
  // What a fault is like does not hang on which ones there were before.
  Chance fate(fate_.word());
  if (muted_.contains(faults_++)) return;
  const auto agent = fate.below(agents_.size());
  switch (fate.below(11)) {
    case 0:
      note("the controller is killed");
      return controller_->die();
    case 1: {
      note(fmt::format("the line to agent {} is cut", agent));
      network_->cut(agent);
      return timeline_.after(fate.between(Millis(10), Millis(25'000)),
                             [this, agent] { network_->heal(agent); });
    }
    case 2: {
      note("the disk of the controller is full for a while");
      controller_->disk.files().full = true;
      return timeline_.after(fate.between(Millis(10), Millis(5'000)),
                             [this] { controller_->disk.files().full = false; });
    }
    case 3: {
      note(fmt::format("the disk of agent {} is full for a while", agent));
      agents_[agent]->disk.files().full = true;
      return timeline_.after(fate.between(Millis(10), Millis(5'000)),
                             [this, agent] { agents_[agent]->disk.files().full = false; });
    }
    case 4: {
      const bool used = fate.one_in(2);
      note(fmt::format("the disk of agent {} is {}", agent, used ? "used" : "free"));
      return agents_[agent]->use_disk(used);
    }
    case 5: {
      const auto most = Millis(fate.one_in(3) ? 4'000'000 : 400'000);
      const auto by = fate.between(-most, most);
      note(fmt::format("a clock is turned by {} ms", by.count()));
      if (fate.one_in(3)) return controller_->turn_clock(by);
      return agents_[agent]->turn_clock(by);
    }
    case 6:
      note(fmt::format("somebody takes the addresses of agent {} off", agent));
      return agents_[agent]->take_addresses_off();
    case 7:
      note(fmt::format("agent {} is told to leave", agent));
      return agents_[agent]->leave();
    default:
      return strike_agent(agent, fate);
  }
}

void World::strike_agent(std::size_t agent, Chance& fate) {
  const bool power = fate.one_in(2);
  const bool journal = fate.one_in(6);
  note(fmt::format("agent {} {}{}", agent, power ? "loses power" : "is killed",
                   journal ? ", and then its journal" : ""));
  agents_[agent]->die(power);
  if (journal) agents_[agent]->empty_journal();
  timeline_.after(fate.between(Millis(10), Millis(8000)), [this, agent] {
    note(fmt::format("agent {} is started", agent));
    agents_[agent]->start();
  });
}

void World::peace() {
  note("peace");
  peace_ = true;
  network_->weather = {};
  controller_->disk.deadly = 0;
  controller_->disk.files().full = false;
  controller_->set_clock_right();
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    network_->heal(i);
    agents_[i]->disk.deadly = 0;
    agents_[i]->disk.files().full = false;
    agents_[i]->work = {.failing = 0, .endless = 0, .cutting = 0, .sticking = 0};
    agents_[i]->use_disk(false);
    agents_[i]->set_clock_right();
    agents_[i]->start();
  }
}

Verdict minimised(std::uint64_t seed, Plant plant, Verdict failed) {
  World::Faults muted;
  // What was needed at first may not be once something else is gone.
  for (bool shrunk = true; shrunk;) {
    shrunk = false;
    // From the last one on: what strikes after the failure goes first, and cheaply.
    for (auto fault = failed.faults; fault-- > 0;) {
      if (muted.contains(fault)) continue;
      auto fewer = muted;
      fewer.insert(fault);
      auto verdict = World(seed, plant, fewer).run();
      if (verdict.held) continue;
      muted = std::move(fewer);
      failed = std::move(verdict);
      shrunk = true;
    }
  }
  return failed;
}

}  // namespace relab::sim
