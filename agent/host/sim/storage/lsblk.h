#pragma once

/// The table of block devices, as lsblk prints it.

#include <string>
#include <vector>

#include "agent/host/sim/storage/device.h"

namespace relab::agent::sim {

struct LsblkRow {
  const Device* device;
  /// Of the disk beneath.
  std::string partition_table;
  std::vector<std::string> mountpoints;
};

/// The columns that are asked for by `lsblk --json --list --bytes --all --output`. Fault::missing
/// for a column that is not known here.
Result<std::string> lsblk_json(const std::vector<LsblkRow>& rows, const std::string& columns);

/// Where in /sys/devices a device is.
Path sys_place(const Device& device, std::size_t number);

}  // namespace relab::agent::sim
