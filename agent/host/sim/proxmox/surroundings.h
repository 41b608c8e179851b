#pragma once

/// What a simulated Proxmox tells others of itself, and what goes wrong on it.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/host/sim/proxmox/storages.h"
#include "agent/host/sim/sim_host.h"
#include "common/crypto/identity.h"
#include "common/crypto/keys.h"

namespace relab::agent::sim {

/// An agent that was brought into a container, and runs there from now on.
struct StartedAgent {
  std::uint32_t vmid = 0;
  std::string name;
  /// "pbs": of the package relab-agent-pbs.
  std::string role;
  std::string lab;
  const crypto::Keys& keys;
  /// Whom it obeys.
  const std::vector<Party>& controllers;
  /// The inside of its container; it lives as long as the machine.
  SimHost& host;
};

struct Hooks {
  /// A volume is made, or has another size now. An error is why it cannot be.
  std::function<Result<void>(const Volume& volume)> on_volume = {};
  /// Also each time that it is started anew.
  std::function<void(const StartedAgent& agent)> on_agent = {};
  /// A container was started, or ended.
  std::function<void(std::uint32_t vmid, bool runs)> on_power = {};
  /// Whether the machine has a bridge of this name; none: nobody knows.
  std::function<bool(const std::string& name)> has_bridge = {};
  /// Whether the machine reaches the world outside of the lab; none: it does.
  std::function<bool()> leaves = {};
};

/// What goes wrong from now on, until it is taken back.
struct Faults {
  std::set<std::uint32_t> does_not_start;
  /// pct says that it started, and its system ends at once.
  std::set<std::uint32_t> ends_after_start;
  std::set<std::uint32_t> does_not_shut_down;
  /// Why it stays locked: "backup".
  std::map<std::uint32_t, std::string> locked;
  /// A file that is pushed comes only half, and pct says nothing of it.
  std::set<std::uint32_t> push_is_cut;
  /// pveam's words; it changes nothing then.
  std::string update_fails;
  std::string download_fails;

  // What has met with any of it, so that nobody takes a fault for tried that nothing came across:
  // written by whoever asks, and so also where the faults are only read.
  /// Containers that did not come up, and whether they had started.
  mutable std::set<std::pair<std::uint32_t, bool>> met_at_start = {};
  /// Containers of which something was refused.
  mutable std::set<std::uint32_t> met_lock = {};
  mutable bool met_by_download = false;
};

}  // namespace relab::agent::sim
