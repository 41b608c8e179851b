#pragma once

/// Storages of type pbs that a Proxmox VE host uses.

#include <cstdint>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/section_config.h"

namespace relab::agent::pbs {

struct Storage {
  ConfigSection config;
  bool has_key = false;
  bool has_master_key = false;
  bool has_password = false;
  bool active = false;
  std::uint64_t total = 0;  ///< bytes; 0: not told
  std::uint64_t used = 0;
  std::uint64_t available = 0;
};

/// Those of /etc/pve/storage.cfg, with their state as pvesh tells it; none on a machine without
/// that file. What cannot be read goes to `gaps`.
std::vector<Storage> read_storages(Host& host, Gaps& gaps);

}  // namespace relab::agent::pbs
