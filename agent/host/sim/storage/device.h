#pragma once

/// One block device of a simulated machine, with what is on it.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/host/flow.h"
#include "agent/host/sim/part.h"

namespace relab::agent::sim {

struct Device {
  /// The kernel's, "sda1", and below /dev.
  std::string name;
  std::string path;
  /// As lsblk has it: disk, part, lvm, crypt, raid1, loop, ...
  std::string type;
  /// Kernel names of what it lies on; none for a whole disk.
  std::vector<std::string> parents = {};
  std::uint64_t size = 0;
  /// In sectors of 512 bytes.
  std::uint64_t start = 0;

  // Of a whole disk.
  std::string serial = {};
  std::string model = {};
  std::string wwn = {};
  std::string vendor = {};
  std::string firmware = {};
  std::string bus = {};
  std::vector<std::string> aliases = {};
  std::uint32_t logical_sector = 512;
  std::uint32_t physical_sector = 512;
  bool rotational = false;
  bool removable = false;
  bool read_only = false;
  std::string partition_table = {};
  /// Whether it is plugged in.
  bool attached = true;
  /// It answers, and nothing can be read from it or written to it.
  bool failed = false;
  SimSpeed speed = {};

  // Of a partition.
  std::string type_name = {};
  std::string part_label = {};
  std::string part_uuid = {};

  // Of what lies on it.
  std::string file_system = {};
  std::string label = {};
  std::string uuid = {};
  /// What the table of mounts does not tell: "[SWAP]".
  std::vector<std::string> fixed_mountpoints = {};
  /// What the audit found on it is not there any more.
  bool wiped = false;
  /// Of its file system, as it was when it was last mounted.
  std::optional<FileSystem> room = {};

  /// The kernel makes it out of others.
  bool is_volume = false;

  bool is_disk() const { return type == "disk" && !is_volume; }
  bool is_partition() const { return type == "part"; }
};

/// What an audit found, in the order in which lsblk lists it.
std::vector<Device> devices_of(World world);

/// What disks of its kind do in a second.
SimSpeed usual_speed(const Device& disk);

}  // namespace relab::agent::sim
