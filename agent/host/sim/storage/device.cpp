#include "agent/host/sim/storage/device.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

#include "common/base/text.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Facts = schema::AuditDisks::Facts::Reader;
using Texts = capnp::List<capnp::Text>::Reader;

std::vector<std::string> texts_of(Texts list) {
  std::vector<std::string> texts;
  for (const auto text : list) texts.push_back(str(text));
  return texts;
}

Device disk_from(schema::AuditDisks::Disk::Reader disk) {
  return {.name = str(disk.getName()),
          .path = "/dev/" + str(disk.getName()),
          .type = "disk",
          .size = disk.getSize(),
          .serial = str(disk.getSerial()),
          .model = str(disk.getModel()),
          .wwn = str(disk.getWwn()),
          .vendor = str(disk.getVendor()),
          .firmware = str(disk.getFirmware()),
          .bus = str(disk.getBus()),
          .aliases = texts_of(disk.getAliases()),
          .logical_sector = disk.getLogicalSector(),
          .physical_sector = disk.getPhysicalSector(),
          .rotational = disk.getRotational(),
          .removable = disk.getRemovable(),
          .read_only = disk.getReadOnly(),
          .partition_table = str(disk.getPartitionTable()),
          .file_system = str(disk.getFileSystem()),
          .label = str(disk.getLabel()),
          .uuid = str(disk.getUuid())};
}

Device partition_from(schema::AuditDisks::Partition::Reader part) {
  return {.name = str(part.getName()),
          .path = "/dev/" + str(part.getName()),
          .type = "part",
          .parents = {str(part.getDisk())},
          .size = part.getSize(),
          .start = part.getStart(),
          .type_name = str(part.getTypeName()),
          .part_label = str(part.getPartLabel()),
          .part_uuid = str(part.getPartUuid()),
          .file_system = str(part.getFileSystem()),
          .label = str(part.getLabel()),
          .uuid = str(part.getUuid()),
          .fixed_mountpoints = texts_of(part.getMountpoints())};
}

/// The kernel says of a partition what it says of its disk.
Device partition_on(const Device& disk, schema::AuditDisks::Partition::Reader part) {
  auto device = partition_from(part);
  device.logical_sector = disk.logical_sector;
  device.physical_sector = disk.physical_sector;
  device.rotational = disk.rotational;
  device.removable = disk.removable;
  device.read_only = disk.read_only;
  return device;
}

/// Those that the kernel takes for disks are known by their names.
std::string type_of_volume(const std::string& kind) {
  return kind == "zvol" || kind == "zram" || kind == "nbd" ? "disk" : kind;
}

std::string short_name(const std::string& path) { return Path(path).filename().string(); }

bool lies_on(Facts facts, const std::string& device, const std::string& disk) {
  if (device == disk) return true;
  for (const auto part : facts.getPartitions())
    if (view(part.getName()) == device) return view(part.getDisk()) == disk;
  for (const auto volume : facts.getVolumes())
    if (view(volume.getName()) == device)
      return any_in(volume.getDisks(), [&](auto name) { return view(name) == disk; });
  return false;
}

/// What a volume lies on directly is told by those who use devices for it; the facts of the volume
/// itself have the disks beneath alone.
std::vector<std::string> parents_of(Facts facts, schema::AuditDisks::Volume::Reader volume,
                                    const std::map<std::string, std::string>& by_short_name) {
  static constexpr std::array kinds = {"lvm", "md", "crypt", "ceph"};
  std::vector<std::string> parents;
  for (const auto user : facts.getUsers()) {
    if (std::ranges::find(kinds, view(user.getKind())) == kinds.end()) continue;
    const auto device = by_short_name.find(str(user.getDevice()));
    const auto known = std::ranges::find(parents, str(user.getDevice())) != parents.end();
    if (device == by_short_name.end() || known) continue;
    for (const auto above : split(view(user.getName()), ','))
      if (trim(above) == short_name(str(volume.getPath()))) parents.push_back(device->second);
  }
  // A whole disk of which nothing is recognised is named by nobody.
  for (const auto& disk : texts_of(volume.getDisks()))
    if (std::ranges::none_of(
            parents, [&](const std::string& parent) { return lies_on(facts, parent, disk); }))
      parents.push_back(disk);
  return parents;
}

Device volume_from(schema::AuditDisks::Volume::Reader volume) {
  return {.name = str(volume.getName()),
          .path = str(volume.getPath()),
          .type = type_of_volume(str(volume.getKind())),
          .size = volume.getSize(),
          .file_system = str(volume.getFileSystem()),
          .label = str(volume.getLabel()),
          .uuid = str(volume.getUuid()),
          .fixed_mountpoints = texts_of(volume.getMountpoints())};
}

std::vector<Device> volumes_of(Facts facts) {
  std::map<std::string, std::string> by_short_name;
  for (const auto disk : facts.getDisks())
    by_short_name.emplace(str(disk.getName()), str(disk.getName()));
  for (const auto part : facts.getPartitions())
    by_short_name.emplace(str(part.getName()), str(part.getName()));
  for (const auto volume : facts.getVolumes())
    by_short_name.emplace(short_name(str(volume.getPath())), str(volume.getName()));
  std::vector<Device> volumes;
  for (const auto volume : facts.getVolumes()) {
    volumes.push_back(volume_from(volume));
    volumes.back().is_volume = true;
    volumes.back().parents = parents_of(facts, volume, by_short_name);
  }
  return volumes;
}

}  // namespace

SimSpeed usual_speed(const Device& disk) {
  constexpr std::uint64_t mega = 1'000'000;
  if (disk.bus == "nvme") return {.read = 3000 * mega, .write = 2000 * mega};
  if (disk.bus == "usb" && !disk.rotational) return {.read = 400 * mega, .write = 300 * mega};
  if (disk.bus == "usb") return {.read = 130 * mega, .write = 120 * mega};
  if (disk.rotational) return {.read = 160 * mega, .write = 150 * mega};
  return {.read = 500 * mega, .write = 400 * mega};
}

std::vector<Device> devices_of(World world) {
  const auto facts = world.getDisks();
  std::vector<Device> devices;
  auto volumes = volumes_of(facts);
  // Loops have the lowest numbers of all, and come first.
  const auto others = std::stable_partition(
      volumes.begin(), volumes.end(), [](const Device& volume) { return volume.type == "loop"; });
  std::move(volumes.begin(), others, std::back_inserter(devices));
  for (const auto row : facts.getDisks()) {
    auto disk = disk_from(row);
    disk.speed = usual_speed(disk);
    for (const auto speed : world.getSpeeds())
      if (view(speed.getSerial()) == disk.serial)
        disk.speed = {.read = speed.getRead(), .write = speed.getWrite()};
    for (const auto serial : world.getUnplugged())
      if (view(serial) == disk.serial) disk.attached = false;
    devices.push_back(disk);
    for (const auto part : facts.getPartitions())
      if (view(part.getDisk()) == view(row.getName())) devices.push_back(partition_on(disk, part));
  }
  std::move(others, volumes.end(), std::back_inserter(devices));
  // On volumes, and on what is no disk to an audit.
  for (const auto part : facts.getPartitions())
    if (std::ranges::find(devices, str(part.getName()), &Device::name) == devices.end())
      devices.push_back(partition_from(part));
  return devices;
}

}  // namespace relab::agent::sim
