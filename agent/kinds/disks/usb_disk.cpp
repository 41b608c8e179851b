#include "agent/kinds/disks/usb_disk.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "agent/kinds/disks/attached.h"
#include "agent/kinds/support/block.h"
#include "agent/kinds/support/external.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/mounts.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::disks {

namespace {

using Params = schema::UsbDisk;
using Facts = schema::UsbDisk::Facts;

/// That hold files as large as a copy of a pool.
constexpr std::array file_systems = {"ext3", "ext4", "xfs", "btrfs", "exfat"};
constexpr auto format_time_max = std::chrono::hours(2);
constexpr auto look_again = Millis(500);
constexpr int looks_max = 120;

bool is_blank(const std::vector<const BlockDevice*>& devices) {
  return devices.size() == 1 && devices[0]->file_system.empty() &&
         devices[0]->partition_table.empty();
}

/// Members of pools, volume groups, arrays and encrypted volumes, and what the machine runs from.
std::string belongs_to(const std::vector<const BlockDevice*>& devices, const std::string& folder) {
  for (const auto* device : devices) {
    const auto& kind = device->file_system;
    if (kind.ends_with("_member") || kind == "crypto_LUKS" || kind == "swap")
      return fmt::format("{} is {}", device->name, kind);
    for (const auto& point : device->mountpoints)
      if (point != folder) return fmt::format("{} is mounted on {}", device->name, point);
  }
  return {};
}

/// The only device with a file system of a kind that we mount; null if there is none or several.
const BlockDevice* mountable(const std::vector<const BlockDevice*>& devices) {
  const BlockDevice* found = nullptr;
  for (const auto* device : devices) {
    if (std::ranges::find(file_systems, device->file_system) == file_systems.end()) continue;
    if (found != nullptr) return nullptr;
    found = device;
  }
  return found;
}

struct Found {
  BlockDevices devices;
  const BlockDevice* disk;
  std::vector<const BlockDevice*> parts;
};

/// What is on the disk that `describe_disk` found.
Result<Found> look_at(BlockDevices devices, std::string_view path) {
  Found found{.devices = std::move(devices), .disk = nullptr, .parts = {}};
  found.disk = found.devices.find(Path(path).filename().string());
  RELAB_ASSERT(found.disk != nullptr);
  RELAB_TRY(found.parts, found.devices.all_on(*found.disk));
  return found;
}

/// Of several mounts the last one is seen. The mount may be read-only, or, after errors, its file
/// system.
bool is_read_only(std::string_view mountinfo, const std::string& folder) {
  const auto has_ro = [](std::string_view options) {
    return options == "ro" || options.starts_with("ro,");
  };
  bool read_only = false;
  for (const auto line : lines(mountinfo)) {
    const auto words = split(line, ' ');
    if (words.size() > 5 && words[4] == folder)
      read_only = has_ro(words[5]) || has_ro(words.back());
  }
  return read_only;
}

Result<void> describe_mount(const std::string& folder, const Found& found, Host& host,
                            Facts::Builder facts) {
  std::vector<std::string> points;
  for (const auto* part : found.parts)
    points.insert(points.end(), part->mountpoints.begin(), part->mountpoints.end());
  auto list = facts.initMountedOn(size_of(points));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, points[i]);
  const bool here = std::ranges::find(points, folder) != points.end();
  RELAB_TRY(const auto text, host.read_file("/proc/self/mountinfo"));
  RELAB_TRY(const auto mounts, parse_mounts(text));
  // Of several the last one is seen.
  const auto is_ours = [&](const std::string& source) {
    return std::ranges::any_of(found.parts, [&](const auto* part) { return part->path == source; });
  };
  for (const auto& mount : mounts)
    if (mount.point == folder) facts.setCovered(is_ours(mount.source) ? "" : mount.source);
  if (!here) return {};
  RELAB_TRY(const auto room, host.file_system(folder));
  facts.setSize(room.size);
  facts.setFree(room.free);
  facts.setReadOnly(is_read_only(text, folder));
  return {};
}

Result<void> check_disk(Params::Reader params, Facts::Reader facts) {
  const auto serial = str(params.getSerial());
  const auto disk = facts.getDisk();
  if (!disk.getAttached())
    return fail(Fault::missing, fmt::format("there is no disk with the serial number {}", serial));
  RELAB_CHECK(check_by_id(serial, str(params.getById()), disk.getAliases()));
  RELAB_CHECK(check_on_usb(serial, view(disk.getBus())));
  if (facts.getOwn().size() != 0)
    return refuse(fmt::format("the disk {} is in use: {}", serial, str(facts.getOwn())),
                  "take another disk, or free this one");
  if (facts.getCovered().size() != 0)
    return refuse(fmt::format("{} is mounted on {} already", str(facts.getCovered()),
                              str(params.getFolder())),
                  "unmount it, or name another folder");
  return check_size("the disk " + serial, disk.getSize(), params.getLeast());
}

Result<void> check_mounted(Params::Reader params, Facts::Reader facts) {
  const auto folder = str(params.getFolder());
  if (facts.getReadOnly())
    return refuse(fmt::format("{} is mounted read-only", folder),
                  "file systems turn so after errors: look at the kernel's log");
  return check_size("the file system on " + folder, facts.getSize(), params.getLeast());
}

/// Which disk, and where it is to be mounted.
struct Wish {
  std::string serial;
  /// A name below /dev/disk/by-id that it must have, too; empty: any.
  std::string by_id;
  std::string folder;
};

/// The disk as it is now, if it still is one that may be written to; what was planned may be hours
/// ago.
Result<Found> find_again(Host& host, const Wish& wish) {
  RELAB_TRY(auto devices, BlockDevices::read(host));
  Draft<schema::DiskAttached::Facts> now;
  RELAB_CHECK(describe_disk(wish.serial, devices, host, *now));
  const auto disk = now->asReader();
  if (!disk.getAttached())
    return fail(Fault::missing, fmt::format("the disk {} is not attached any more", wish.serial));
  RELAB_CHECK(check_by_id(wish.serial, wish.by_id, disk.getAliases()));
  RELAB_CHECK(check_on_usb(wish.serial, view(disk.getBus())));
  RELAB_TRY(auto found, look_at(std::move(devices), view(disk.getPath())));
  if (const auto use = belongs_to(found.parts, wish.folder); !use.empty())
    return refuse(fmt::format("the disk {} is in use: {}", wish.serial, use), "look at it again");
  return found;
}

/// It is udev that tells lsblk what is on a disk, a while after it was written.
Result<void> wait_until_seen(Host& host, const Wish& wish) {
  for (int looks = 0;; ++looks) {
    RELAB_TRY(const auto found, find_again(host, wish));
    if (mountable(found.parts) != nullptr) return {};
    if (looks == looks_max)
      return fail(Fault::damaged,
                  fmt::format("the file system that was made on {} is not seen", wish.serial));
    RELAB_CHECK(host.pause(look_again, {.what = "waiting until the new file system is seen"}));
  }
}

/// lsblk tells no signature where there are several, and what a volume is encrypted with may have
/// none; mkfs asks nobody who is no terminal.
Result<void> check_empty(Host& host, const BlockDevice& disk) {
  const auto not_empty = [&](std::string_view why) {
    return refuse(fmt::format("the disk {} is not empty: {}", disk.serial, why),
                  "take another disk; or, if nothing on it is wanted, fill its first and its last "
                  "4 KiB with zeroes by hand");
  };
  RELAB_TRY(const auto signatures, host.run({.argv = {"wipefs", "--no-act", disk.path}}));
  if (signatures.status != 0 || signatures.truncated)
    return fail(Fault::damaged, fmt::format("wipefs could not read {}: it ended with {}: {}",
                                            disk.path, signatures.status, first_words(signatures)));
  if (!trim(signatures.out).empty()) return not_empty("it has a signature");
  // No more than that: mkfs fills it last, so that one that was killed can be begun anew.
  constexpr std::uint64_t piece = 4096;
  for (const auto skip : {std::uint64_t{0}, disk.size - std::min(disk.size, piece)}) {
    RELAB_TRY(
        const auto zeroes,
        host.run({.argv = {"cmp", "--silent", fmt::format("--bytes={}", piece),
                           fmt::format("--ignore-initial={}:0", skip), disk.path, "/dev/zero"}}));
    // 1 is a difference; where the disk ends first, it is one, too.
    if (zeroes.status == 1) return not_empty("there are bytes at its beginning or its end");
    if (zeroes.status != 0)
      return fail(Fault::damaged, fmt::format("cmp could not read {}: it ended with {}: {}",
                                              disk.path, zeroes.status, first_words(zeroes)));
  }
  return {};
}

Result<void> make_file_system(Host& host, const Wish& wish) {
  RELAB_TRY(const auto found, find_again(host, wish));
  if (!is_blank(found.parts))
    return refuse(fmt::format("the disk {} is not blank any more", wish.serial),
                  "look at it again");
  RELAB_CHECK(check_empty(host, *found.disk));
  RELAB_CHECK(must_run(host, {.argv = {"mkfs.ext4", "-q", "-m", "0", found.disk->path},
                              .timeout = format_time_max}));
  return wait_until_seen(host, wish);
}

Result<void> mount(Host& host, const Wish& wish) {
  RELAB_TRY(const auto found, find_again(host, wish));
  const auto* device = mountable(found.parts);
  if (device == nullptr)
    return refuse(fmt::format("the disk {} has no one file system to be mounted", wish.serial),
                  "look at it again");
  RELAB_CHECK(must_run(host, {.argv = {"mkdir", "-p", wish.folder}}));
  return must_run(host, {.argv = {"mount", "-t", device->file_system, "-o", "nosuid,nodev,noexec",
                                  device->path, wish.folder}});
}

}  // namespace

Result<Message<Facts>> UsbDisk::observe(Params::Reader params, Host& host) {
  const auto serial = str(params.getSerial());
  if (serial.empty()) return fail(Fault::invalid, "no serial number is given");
  RELAB_TRY(auto devices, BlockDevices::read(host));
  Draft<Facts> facts;
  RELAB_CHECK(describe_disk(serial, devices, host, facts->initDisk()));
  const auto disk = facts->asReader().getDisk();
  if (!disk.getAttached()) return std::move(facts).finish();
  RELAB_TRY(const auto found, look_at(std::move(devices), view(disk.getPath())));
  const auto folder = str(params.getFolder());
  facts->setOwn(belongs_to(found.parts, folder));
  facts->setBlank(is_blank(found.parts));
  if (const auto* device = mountable(found.parts); device != nullptr) {
    facts->setDevice(device->path);
    facts->setFileSystem(device->file_system);
    facts->setUuid(device->uuid);
    facts->setLabel(device->label);
  }
  RELAB_CHECK(describe_mount(folder, found, host, *facts));
  return std::move(facts).finish();
}

std::optional<Awaited> UsbDisk::awaits(Params::Reader params, Facts::Reader facts) {
  if (facts.getDisk().getAttached()) return {};
  return until_attached(str(params.getSerial()));
}

Result<std::vector<Change>> UsbDisk::plan(Params::Reader params, Facts::Reader facts) {
  RELAB_CHECK(check_disk(params, facts));
  std::vector<Change> changes;
  if (facts.getMountedOn().size() != 0) {
    RELAB_CHECK(check_mounted(params, facts));
    return changes;
  }
  const auto serial = str(params.getSerial());
  const auto folder = str(params.getFolder());
  const auto by_id = str(params.getById());
  if (facts.getBlank() && !params.getFormat())
    return refuse(fmt::format("the disk {} is blank", serial),
                  "give the task `format = true` to have a file system made on it");
  if (facts.getBlank())
    changes.push_back({.what = fmt::format("+ ext4 on the blank disk {}, {}", serial,
                                           human_bytes(facts.getDisk().getSize())),
                       .how = {"format", serial, by_id, folder}});
  if (!facts.getBlank() && facts.getDevice().size() == 0)
    return refuse(fmt::format("the disk {} has something on it, and no one file system of a kind "
                              "that is mounted ({})",
                              serial, fmt::join(file_systems, ", ")),
                  "look at what it holds; what makes it blank is a task of its own");
  changes.push_back({.what = fmt::format("+ the disk {} mounted on {}", serial, folder),
                     .how = {"mount", serial, by_id, folder}});
  return changes;
}

Result<void> UsbDisk::apply(const Change& change, Host& host) {
  const auto& how = change.how;
  RELAB_ASSERT(how.size() == 4);
  const Wish wish{.serial = how[1], .by_id = how[2], .folder = how[3]};
  return how[0] == "format" ? make_file_system(host, wish) : mount(host, wish);
}

}  // namespace relab::agent::disks
