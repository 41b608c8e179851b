#include "agent/host/sim/storage/disks.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "agent/host/sim/storage/lsblk.h"
#include "agent/host/sim/storage/mounting.h"
#include "common/base/time.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

tl::unexpected<Error> no_disk(const std::string& serial) {
  return relab::fail(Fault::missing,
                     fmt::format("the simulated machine has no disk with the serial {}", serial));
}

/// "-part2", of "sda2" and of "nvme0n1p2".
std::string part_suffix(const Device& device, const Device& disk) {
  if (!device.is_partition()) return {};
  const auto number = device.name.substr(disk.name.size());
  return "-part" + (number.starts_with("p") ? number.substr(1) : number);
}

Error io_error(const Device& disk) {
  return {.fault = Fault::damaged, .what = fmt::format("{}: Input/output error", disk.path)};
}

}  // namespace

Disks::Disks(SimHost& host, World world) : host_(host), smart_(world), devices_(devices_of(world)) {
  // udev runs: lsblk tells what is on the disks.
  host_.directory("/run/udev/data");
  host_.directory("/dev/disk/by-id");
  host_.directory("/sys/block");
  host_.directory("/sys/class/block");
  for (const auto& device : devices_)
    if (is_there(device)) show(device);
  mount_all(world);
  install();
}

namespace {

/// A dataset that is, or that lies in a pool that is.
bool is_read_only(World world, schema::AuditDisks::Mount::Reader mount) {
  const auto source = view(mount.getSource());
  const auto zfs = world.getZfs();
  return view(mount.getType()) == "zfs" &&
         (any_in(zfs.getDatasets(),
                 [&](auto row) { return row.getReadonly() && view(row.getName()) == source; }) ||
          any_in(zfs.getPools(), [&](auto row) {
            return row.getReadonly() && view(row.getName()) == source.substr(0, source.find('/'));
          }));
}

}  // namespace

void Disks::mount_all(World world) {
  // No machine runs without a root.
  if (world.getDisks().getMounts().size() == 0)
    static_cast<void>(host_.mount({.point = "/", .type = "ext4", .source = "/dev/root"}));
  for (const auto mount : world.getDisks().getMounts()) {
    const Path point = str(mount.getPoint());
    const SimMount wanted{.point = point,
                          .type = str(mount.getType()),
                          .source = str(mount.getSource()),
                          .options = kernel_options({}, is_read_only(world, mount))};
    host_.directory(point);
    const auto* device = wanted.source.starts_with("/dev/") ? at(wanted.source) : nullptr;
    // The kernel may know a file system by another name than lsblk.
    if (device == nullptr || this->mount(wanted).status != 0)
      static_cast<void>(host_.mount(wanted));
  }
  for (auto& device : devices_) {
    const auto mounted = mounts_of(device);
    std::erase_if(device.fixed_mountpoints, [&](const std::string& point) {
      return std::ranges::find(mounted, Path(point), &SimMount::point) != mounted.end();
    });
  }
}

void Disks::show(const Device& device) {
  const auto number = static_cast<std::uint32_t>(&device - devices_.data()) + 1;
  const Path node = "/dev/" + device.name;
  auto& shown = shown_[device.name];
  const auto link = [&](const Path& from, const std::string& to) {
    host_.link(from, to);
    shown.push_back(from);
  };
  host_.device(node, {.type = FileType::block, .mode = 0660, .major = 8, .minor = number});
  shown.push_back(node);
  if (device.path != node.string()) link(device.path, node.string());
  const auto* disk = &device;
  if (device.is_partition())
    if (const auto* whole = find(device.parents[0]); whole != nullptr) disk = whole;
  auto place = disk->is_disk() ? sys_place(*disk, static_cast<std::size_t>(disk - devices_.data()))
                               : Path("/sys/devices/virtual");
  place = place / "block" / disk->name;
  if (device.is_partition()) place /= device.name;
  host_.directory(place);
  host_.file(place / "size", fmt::format("{}\n", device.size / 512));
  shown.push_back(place / "size");
  shown.push_back(place);
  if (!device.is_partition()) link("/sys/block/" + device.name, place.string());
  link("/sys/class/block/" + device.name, place.string());
  if (device.is_disk() || device.is_partition())
    for (const auto& alias : disk->aliases)
      link("/dev/disk/by-id/" + alias + part_suffix(device, *disk), "../../" + device.name);
}

std::string Disks::name_of(const Device& device) const {
  const auto disks = disks_of(device.name);
  if (disks.empty() || disks.front()->aliases.empty()) return device.path;
  return "/dev/disk/by-id/" + disks.front()->aliases.front() + part_suffix(device, *disks.front());
}

void Disks::hide(const Device& device) {
  for (const auto& path : shown_[device.name]) host_.remove(path);
  shown_.erase(device.name);
}

Device* Disks::find(const std::string& name) {
  const auto found = std::ranges::find(devices_, name, &Device::name);
  return found == devices_.end() ? nullptr : &*found;
}

const Device* Disks::find(const std::string& name) const {
  const auto found = std::ranges::find(devices_, name, &Device::name);
  return found == devices_.end() ? nullptr : &*found;
}

Device* Disks::disk_by_serial(const std::string& serial) {
  const auto found = std::ranges::find_if(devices_, [&](const Device& device) {
    return device.is_disk() && device.serial == serial && !serial.empty();
  });
  return found == devices_.end() ? nullptr : &*found;
}

const Device* Disks::by_serial(const std::string& serial) const {
  const auto found = std::ranges::find(devices_, serial, &Device::serial);
  return found == devices_.end() || serial.empty() ? nullptr : &*found;
}

const Device* Disks::at(const Path& path) const {
  const auto real = host_.canonical(path);
  if (!real) return nullptr;
  const auto* device = find(real->filename().string());
  return device != nullptr && is_there(*device) ? device : nullptr;
}

std::vector<const Device*> Disks::disks_of(const std::string& name) const {
  std::vector<const Device*> beneath;
  std::vector<const Device*> disks;
  if (const auto* device = find(name)) beneath.push_back(device);
  for (std::size_t i = 0; i < beneath.size(); ++i) {
    if (beneath[i]->is_disk()) disks.push_back(beneath[i]);
    for (const auto& parent : beneath[i]->parents)
      if (const auto* below = find(parent); below && std::ranges::count(beneath, below) == 0)
        beneath.push_back(below);
  }
  return disks;
}

bool Disks::is_there(const Device& device) const {
  const auto disks = disks_of(device.name);
  return disks.empty() || std::ranges::all_of(disks, &Device::attached);
}

bool Disks::is_well(const std::string& device) const {
  const auto disks = disks_of(device);
  return std::ranges::all_of(disks,
                             [](const Device* disk) { return disk->attached && !disk->failed; });
}

std::vector<Device*> Disks::all_on(const Device& disk) {
  std::vector<Device*> found;
  for (auto& device : devices_)
    if (std::ranges::count(disks_of(device.name), &disk) != 0) found.push_back(&device);
  return found;
}

Result<void> Disks::plug(const std::string& serial) {
  auto* disk = disk_by_serial(serial);
  if (disk == nullptr) return no_disk(serial);
  if (disk->attached) return {};
  disk->attached = true;
  for (const auto* device : all_on(*disk)) show(*device);
  return {};
}

Result<void> Disks::pull(const std::string& serial) {
  auto* disk = disk_by_serial(serial);
  if (disk == nullptr) return no_disk(serial);
  if (!disk->attached) return {};
  for (const auto* device : all_on(*disk)) {
    for (const auto& mount : mounts_of(*device)) host_.breaks(mount.point, io_error(*disk));
    hide(*device);
  }
  disk->attached = false;
  return {};
}

Result<void> Disks::fail(const std::string& serial) {
  auto* disk = disk_by_serial(serial);
  if (disk == nullptr) return no_disk(serial);
  disk->failed = true;
  for (const auto* device : all_on(*disk))
    for (const auto& mount : mounts_of(*device)) host_.breaks(mount.point, io_error(*disk));
  return {};
}

std::optional<Instant> Disks::next_failure() const {
  if (failures_.empty()) return {};
  return failures_.begin()->first;
}

bool Disks::pass(Instant now) {
  bool failed = false;
  while (!failures_.empty() && failures_.begin()->first <= now) {
    const auto serial = failures_.extract(failures_.begin()).mapped();
    failed = fail(serial).has_value() || failed;
  }
  return failed;
}

Result<void> Disks::fill(const std::string& serial, std::uint64_t free) {
  auto* disk = disk_by_serial(serial);
  if (disk == nullptr) return no_disk(serial);
  room_left_[serial] = free;
  for (auto* device : all_on(*disk))
    for (const auto& mount : mounts_of(*device)) limit(*device, mount.point);
  return {};
}

bool Disks::is_short_of_room(const std::string& serial, const std::string& failure) const {
  const auto points = filled_.find(serial);
  if (points == filled_.end()) return false;
  return std::ranges::any_of(points->second, [&](const Path& point) {
    const auto room = host_.file_system(point);
    return host_.ran_out_of_room().contains(point.string()) ||
           (room &&
            failure.find(fmt::format("{} are free", human_bytes(room->free))) != std::string::npos);
  });
}

Result<void> Disks::break_after(const std::string& serial, std::uint64_t bytes) {
  const auto* disk = disk_by_serial(serial);
  if (disk == nullptr) return no_disk(serial);
  breaks_after_[serial] = bytes;
  for (const auto& mount : mounts_on(*disk)) limit(*disk, mount.point);
  return {};
}

void Disks::limit(const Device& device, const Path& point) {
  for (const auto* disk : disks_of(device.name)) {
    if (const auto room = room_left_.extract(disk->serial)) {
      host_.file_system(point, {.size = size_of_file_system(device), .free = room.mapped()});
      filled_[disk->serial].insert(point);
    }
    if (const auto breaks = breaks_after_.extract(disk->serial))
      host_.breaks(point, io_error(*disk), breaks.mapped());
  }
}

SimSpeed Disks::speed_of(const Device& device) const {
  const auto disks = disks_of(device.name);
  return disks.empty() ? SimSpeed{} : disks.front()->speed;
}

std::vector<SimMount> Disks::mounts_of(const Device& device) const {
  std::vector<SimMount> mounts;
  for (const auto& mount : host_.mounts()) {
    if (!mount.source.starts_with("/dev/")) continue;
    // A disk that was pulled out has no name any more, and what it was mounted as stands.
    const auto real = host_.canonical(mount.source);
    const auto name = real ? real->filename().string() : Path(mount.source).filename().string();
    if (mount.source == device.path || name == device.name) mounts.push_back(mount);
  }
  return mounts;
}

std::vector<SimMount> Disks::mounts_on(const Device& disk) {
  std::vector<SimMount> all;
  for (const auto* device : all_on(disk))
    for (auto& mount : mounts_of(*device)) all.push_back(std::move(mount));
  return all;
}

std::vector<std::string> Disks::mountpoints_of(const Device& device) const {
  auto points = device.fixed_mountpoints;
  for (const auto& mount : mounts_of(device)) points.push_back(mount.point.string());
  return points;
}

std::uint64_t Disks::size_of_file_system(const Device& device) const {
  // An ext4 keeps one inode of 256 bytes for every 16 KiB.
  return device.size - device.size / 64;
}

Output Disks::mount(const SimMount& wanted) {
  const auto refused = [&](std::string_view why) {
    return Output{.status = 32,
                  .err = fmt::format("mount: {}: {}\n       dmesg(1) may have more information "
                                     "after failed mount system call.\n",
                                     wanted.point.string(), why)};
  };
  const auto* seen = at(wanted.source);
  if (seen == nullptr)
    return refused(fmt::format("special device {} does not exist.", wanted.source));
  auto* device = find(seen->name);
  if (!is_well(device->name))
    return refused(fmt::format("can't read superblock on {}.", wanted.source));
  if (device->file_system != wanted.type)
    return refused(
        fmt::format("wrong fs type, bad option, bad superblock on {}, missing codepage "
                    "or helper program, or other error.",
                    device->path));
  const auto already = mounts_of(*device);
  if (std::ranges::find(already, wanted.point, &SimMount::point) != already.end())
    return refused(fmt::format("{} already mounted on {}.", device->path, wanted.point.string()));
  auto mounted = wanted;
  mounted.source = device->path;
  if (device->read_only && mounted.options.starts_with("rw")) mounted.options.replace(0, 2, "ro");
  if (!host_.mount(mounted)) return refused("mount point does not exist.");
  if (!device->room) {
    const auto size = size_of_file_system(*device);
    device->room = FileSystem{.size = size, .free = size};
    // One that was made now.
    if (device->wiped) host_.directory(wanted.point / "lost+found", {.mode = 0700});
  }
  host_.file_system(wanted.point, *device->room);
  host_.speed(wanted.point, speed_of(*device));
  limit(*device, wanted.point);
  return {};
}

Result<void> Disks::unmount(const SimMount& mounted) {
  const auto room = host_.file_system(mounted.point);
  RELAB_CHECK(host_.unmount(mounted.point));
  host_.mends(mounted.point);
  host_.no_file_system(mounted.point);
  for (auto& device : devices_) {
    const auto* seen = at(mounted.source);
    if (room && seen == &device) device.room = *room;
  }
  return {};
}

}  // namespace relab::agent::sim
