#pragma once

/// Block devices as the kernel and lsblk know them, and the way from a path down to the whole disk
/// that carries it.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent {

/// One block device. Empty texts and zeros: lsblk tells none.
struct BlockDevice {
  /// The kernel's name, "sda1".
  std::string name;
  std::string path;
  /// disk, part, lvm, crypt, raid1, mpath, loop, rom, ...
  std::string type;
  /// Kernel names of what it lies on; none for a whole disk.
  std::vector<std::string> parents = {};
  std::uint64_t size = 0;
  std::uint64_t start = 0;
  std::uint64_t logical_sector = 0;
  std::uint64_t physical_sector = 0;
  bool rotational = false;
  bool removable = false;
  bool read_only = false;
  std::string model;
  std::string serial;
  std::string wwn;
  std::string vendor;
  std::string revision;
  std::string transport;
  std::string partition_table;
  std::string partition_type;
  std::string partition_label;
  std::string partition_uuid;
  std::string file_system;
  std::string label;
  std::string uuid;
  std::vector<std::string> mountpoints = {};
};

/// All block devices of a machine at one moment.
class BlockDevices {
 public:
  /// A device that is not mounted and whose content could not be looked at, with the reason.
  struct Unread {
    std::string name;
    std::string why;
  };

  /// One run of lsblk, with the serials that only /sys has, and with file systems also where udev,
  /// from which lsblk takes them, does not run.
  static Result<BlockDevices> read(Host& host);
  /// Of `lsblk --json --list`. Fault::damaged if it is anything else.
  static Result<BlockDevices> parse(std::string_view json);

  const std::vector<BlockDevice>& all() const { return devices_; }
  /// Devices whose empty file system means nothing, because nobody could look.
  const std::vector<Unread>& unread() const { return unread_; }
  /// By the kernel's name; nullptr if there is none.
  const BlockDevice* find(std::string_view name) const;
  /// The whole disks that carry a device: itself if it is one, several beneath a RAID or a volume
  /// group, none for an unknown name.
  std::vector<const BlockDevice*> disks_of(std::string_view name) const;
  /// A whole disk with everything that lies on it, itself first. Fault::damaged if nobody could
  /// look into one of them.
  Result<std::vector<const BlockDevice*>> all_on(const BlockDevice& disk) const;

 private:
  void add(BlockDevice device);
  void look_into_devices(Host& host);

  std::vector<BlockDevice> devices_;
  std::vector<Unread> unread_;
};

/// Fills in what `blkid -p -o export` printed of one device.
void take_content(std::string_view exported, BlockDevice& device);

/// The names below /dev/disk/by-id by the kernel's name of the device, sorted. Fault::missing if
/// there is no such folder.
Result<std::map<std::string, std::vector<std::string>>> read_by_id(Host& host);

/// Those of one device. None where there is no such folder.
Result<std::vector<std::string>> aliases_of(Host& host, const std::string& name);

/// The kernel's name of the device behind a path of /dev, links followed. Fault::missing if there
/// is none.
Result<std::string> device_of(Host& host, const Path& path);

}  // namespace relab::agent
