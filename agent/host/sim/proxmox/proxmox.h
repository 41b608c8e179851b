#pragma once

/// Proxmox VE of a simulated machine: its guests with an inside each, its storages and templates,
/// and the programs pct, qm, pvesh, pvesm and pveam.

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "agent/host/sim/part.h"
#include "agent/host/sim/proxmox/applications.h"
#include "agent/host/sim/proxmox/containers.h"
#include "agent/host/sim/proxmox/storages.h"
#include "agent/host/sim/proxmox/surroundings.h"
#include "agent/host/sim/proxmox/templates.h"

namespace relab::agent::sim {

class Proxmox final : public Part {
 public:
  /// With all that the world tells of guests and of what is in them, and with the applications that
  /// run on the machine itself. File systems that hold volumes are to be mounted before. Does
  /// nothing on a machine where the audit found no Proxmox. The world is needed only here.
  Proxmox(SimHost& host, World world, Hooks hooks = {});

  /// From now on; the machine begins without any.
  Faults& faults() { return faults_; }
  Hooks& hooks() { return hooks_; }
  Storages& storages() { return storages_; }

  /// The inside of a container, for an agent of its own to work on: it is made when it is asked for
  /// the first time, and lives as long as this. Null if there is no such container.
  SimHost* inside(std::uint32_t vmid) { return containers_.inside(vmid); }
  /// Its Debian, to make something of it fail. Null where `inside` is.
  Debian* debian(std::uint32_t vmid);
  bool runs(std::uint32_t vmid) const { return containers_.runs(vmid); }
  /// What was asked of containers, and is not simulated; none is made for it.
  std::set<std::string> unknown() const { return containers_.unknown(); }

 private:
  static Applications applications_of(World world);
  void install_programs();
  void write_files(const std::string& node);
  Result<Output> pvesh(const Command& command) const;
  Result<Output> pvesm(const Command& command) const;
  Output status() const;

  SimHost& host_;
  Hooks hooks_;
  Faults faults_;
  std::string node_;
  Applications applications_;
  Storages storages_;
  Templates templates_;
  Containers containers_;
};

}  // namespace relab::agent::sim
