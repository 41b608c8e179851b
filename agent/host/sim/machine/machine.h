#pragma once

/// A whole simulated machine: every part of it over one host, grown from a world.

#include <set>
#include <string>

#include "agent/host/sim/debian/debian.h"
#include "agent/host/sim/network/network.h"
#include "agent/host/sim/network/pci.h"
#include "agent/host/sim/network/reachability.h"
#include "agent/host/sim/network/schedules.h"
#include "agent/host/sim/network/services.h"
#include "agent/host/sim/part.h"
#include "agent/host/sim/proxmox/proxmox.h"
#include "agent/host/sim/storage/storage.h"

namespace relab::agent::sim {

class Machine {
 public:
  /// The world's message must live as long as this. `hooks.on_volume` is the machine's own, and
  /// `hooks.on_power` is told after it.
  explicit Machine(World world, Hooks hooks = {});
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine() = default;

  SimHost& host() { return host_; }
  Storage& storage() { return storage_; }
  const Storage& storage() const { return storage_; }
  Proxmox& proxmox() { return proxmox_; }
  Reachability& reachability() { return reachability_; }

  /// Serial numbers of disks that are not there yet, and could be.
  std::set<std::string> unplugged() const;

  /// What was asked of it, or of a container, and is not simulated.
  std::set<std::string> unknown() const;

 private:
  static SimHost& begin(SimHost& host, World world);
  Hooks own_hooks(Hooks hooks);
  void leave_out_absent();
  void follow_tunnels();
  void write_files();
  void weigh_folders();
  void join_network();
  /// Connections of its inside, and its way to packages, are those of the machine of this name.
  void attach(std::uint32_t vmid, const std::string& name);
  /// Whether the machine of this name reaches the world outside of the lab; of a world that tells
  /// no addresses nobody knows, and it does.
  bool leaves(const std::string& name) const;
  /// Why a server out in the world is not reached from there; empty: it is.
  std::function<std::string(const std::string& server)> way_out_of(const std::string& name);
  void connect(std::uint32_t vmid, bool runs);
  Result<void> make_volume(const Volume& volume);

  World world_;
  SimHost host_;
  Debian debian_;
  Storage storage_;
  Network network_;
  Pci pci_;
  Services services_;
  Schedules schedules_;
  Reachability reachability_;
  Proxmox proxmox_;
};

}  // namespace relab::agent::sim
