#pragma once

/// Which block devices are disks, how they are connected, what they are called for good, and what
/// uses them.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/support/block.h"

namespace relab::agent::disks {

/// Whether a device is a disk of its own. `sys` is its real path below /sys/devices, empty if
/// unknown: loops, RAM disks, mapped and network devices have theirs below virtual/block.
bool is_disk(const BlockDevice& device, std::string_view sys);

/// usb, nvme, sata, virtio, ...; empty if neither lsblk nor the path in /sys tells.
std::string bus_of(const BlockDevice& device, std::string_view sys);

/// What a device that is no disk is: zvol, zram, nbd, or lsblk's word.
std::string volume_kind(const BlockDevice& device);

/// The name that stays when the disk is put elsewhere: with model and serial before those with
/// nothing but a number. Empty for no names.
std::string best_name(const std::vector<std::string>& names);

/// Something that uses a disk, through a device on it.
struct User {
  std::string disk;
  std::string device;
  std::string kind;
  std::string name;

  bool operator==(const User&) const = default;
};
std::vector<User> users_of(const BlockDevices& devices);

}  // namespace relab::agent::disks
