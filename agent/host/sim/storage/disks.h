#pragma once

/// The block devices of a simulated machine: what is plugged in and what is on it, as lsblk, blkid,
/// smartctl and wipefs tell it, and as mkfs.ext4 and wipefs change it.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/host/sim/storage/device.h"
#include "agent/host/sim/storage/smart_report.h"

namespace relab::agent::sim {

class Disks final : public Part {
 public:
  /// The world's message must live as long as this.
  Disks(SimHost& host, World world);

  /// A person attaches the disk with this serial number. Fault::missing if the world knows none.
  Result<void> plug(const std::string& serial);
  /// A person takes it away. What is mounted from it stays mounted, and can be neither read nor
  /// written.
  Result<void> pull(const std::string& serial);
  /// It stays attached, and can be neither read nor written.
  Result<void> fail(const std::string& serial);

  /// It will.
  void fail_at(const std::string& serial, Instant when) { failures_.emplace(when, serial); }
  std::optional<Instant> next_failure() const;
  /// What was to fail until now fails. True if anything did.
  bool pass(Instant now);

  /// Of those that are plugged in; null if there is none. Links are followed.
  const Device* at(const Path& path) const;
  /// The whole disks that carry a device, by its kernel's name.
  std::vector<const Device*> disks_of(const std::string& name) const;
  /// Also what nobody has plugged in.
  const std::vector<Device>& all() const { return devices_; }
  /// The stable one, below /dev/disk/by-id, if it has one.
  std::string name_of(const Device& device) const;
  const Device* by_serial(const std::string& serial) const;
  /// Whether it is there, and can be read.
  bool is_well(const std::string& device) const;

  Output mount(const SimMount& wanted);
  /// What is mounted there is a device's.
  Result<void> unmount(const SimMount& mounted);
  /// Who knows of other uses of a device, by its kernel's name.
  void also_in_use(std::function<bool(const std::string&)> in_use) { in_use_ = std::move(in_use); }
  /// So many bytes are left on the file systems of this disk, also on one that is yet to be made.
  Result<void> fill(const std::string& serial, std::uint64_t free);
  /// Whether one that was filled is what failed in these words: since then something was refused on
  /// it for want of room, or the words tell how much it has left.
  bool is_short_of_room(const std::string& serial, const std::string& failure) const;
  /// It stops answering once so many bytes more were written to a file system on it.
  Result<void> break_after(const std::string& serial, std::uint64_t bytes);

 private:
  using Argv = std::vector<std::string>;

  void install();
  void mount_all(World world);
  void show(const Device& device);
  void hide(const Device& device);
  Device* find(const std::string& name);
  const Device* find(const std::string& name) const;
  Device* disk_by_serial(const std::string& serial);
  bool is_there(const Device& device) const;
  /// The disk itself with all that lies on it.
  std::vector<Device*> all_on(const Device& disk);
  std::vector<SimMount> mounts_on(const Device& disk);
  /// What was said of the disk beneath before this was mounted.
  void limit(const Device& device, const Path& point);
  SimSpeed speed_of(const Device& device) const;
  std::vector<std::string> mountpoints_of(const Device& device) const;
  std::vector<SimMount> mounts_of(const Device& device) const;
  std::uint64_t size_of_file_system(const Device& device) const;

  Result<Output> lsblk(const Command& command);
  Result<Output> blkid(const Command& command);
  Result<Output> smartctl(const Command& command);
  Result<Output> wipefs(const Command& command);
  Result<Output> cmp(const Command& command);
  Result<Output> make_ext4(const Command& command);
  /// Named by this path in what it says.
  Output wipe(const Device& device, const std::string& path);
  void drop_partitions(const std::string& disk);

  SimHost& host_;
  SmartReports smart_;
  std::vector<Device> devices_;
  /// What of /dev and /sys tells of each device, by its name.
  std::map<std::string, std::vector<Path>> shown_;
  std::function<bool(const std::string&)> in_use_;
  SimHost::Program cmp_of_files_;
  /// By the serial numbers, what holds from the next mount on.
  std::map<std::string, std::uint64_t> room_left_;
  std::map<std::string, std::uint64_t> breaks_after_;
  /// Where the file systems of those that were filled are, or were last.
  std::map<std::string, std::set<Path>> filled_;
  std::multimap<Instant, std::string> failures_;
};

}  // namespace relab::agent::sim
