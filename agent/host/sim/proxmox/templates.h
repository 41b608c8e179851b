#pragma once

/// Templates of containers: the index that Proxmox's server has of them, and `pveam`.

#include <string>
#include <vector>

#include "agent/host/sim/proxmox/storages.h"
#include "agent/host/sim/proxmox/surroundings.h"

namespace relab::agent::sim {

class Templates {
 public:
  /// With the index as it came with Proxmox.
  Templates(SimHost& host, Storages& storages, World world, const Faults& faults,
            const Hooks& hooks);

  Result<Output> pveam(const Command& command);

 private:
  void write_index();
  Result<Output> download(const Command& command);
  Output available() const;
  Output list(const std::string& storage) const;

  SimHost& host_;
  Storages& storages_;
  bool is_cut_off() const { return hooks_.leaves && !hooks_.leaves(); }

  const Faults& faults_;
  const Hooks& hooks_;
  std::vector<std::string> offered_;
};

/// The release of a system that is made from this template: "bookworm".
std::string suite_of_template(std::string_view file);

}  // namespace relab::agent::sim
