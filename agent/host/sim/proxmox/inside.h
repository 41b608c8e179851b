#pragma once

/// The inside of one simulated container: a Debian of its own, on the mounts that its configuration
/// gives it.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/host/sim/debian/debian.h"
#include "agent/host/sim/network/wireguard.h"
#include "agent/host/sim/proxmox/docker.h"
#include "agent/host/sim/proxmox/guest_agent.h"
#include "agent/host/sim/proxmox/placed.h"
#include "agent/host/sim/proxmox/scripts.h"
#include "agent/host/sim/proxmox/storages.h"
#include "agent/kinds/support/pve_config.h"

namespace relab::agent::sim {

class Inside {
 public:
  /// Borrows the machine that it is on.
  struct Start {
    std::uint32_t vmid = 0;
    std::string suite = "bookworm";
    std::string hostname;
    /// Of all that is random in it.
    std::string seed;
    const std::vector<Placed>& files;
    const std::vector<DockerPiece>& docker;
  };
  Inside(SimHost& machine, const Start& start);

  SimHost& host() { return host_; }
  Debian& debian() { return debian_; }
  GuestAgent& agent() { return agent_; }

  /// What the configuration mounts, with what lies there on the machine.
  void mount(const PveConfig& config, const Storages& storages);
  /// What has run for long, and what does not although it is enabled, as it was found; by units.
  void find_running(const std::map<std::string, bool>& units);
  /// Its system starts; takes so long.
  void boot(Instant now, Millis takes);
  void shut_down(Instant now);

  /// A program of it, as `lxc-attach` runs it. Fault::unsupported for what is not simulated.
  Result<Output> exec(const Command& command);

 private:
  /// Processes of applications are there while their units run.
  void follow_units();
  /// A node of devN, where the machine has it.
  void show_device(const Properties& properties);
  void take_over(const Path& from, const Path& to, unsigned& budget);

  SimHost& machine_;
  SimHost host_;
  Debian debian_;
  Wiring wiring_;
  Wireguard wireguard_;
  GuestAgent agent_;
  Scripts scripts_;
  Docker docker_;
  std::vector<Placed> files_;
};

}  // namespace relab::agent::sim
