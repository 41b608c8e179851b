#include "agent/kinds/disks/audit.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "agent/kinds/disks/health.h"
#include "agent/kinds/disks/inventory.h"
#include "agent/kinds/support/container.h"
#include "agent/kinds/support/mounts.h"
#include "common/base/text.h"

namespace relab::agent::disks {

namespace {

using Facts = schema::AuditDisks::Facts;

unsigned length(std::size_t size) { return static_cast<unsigned>(size); }

std::int64_t or_unknown(const std::optional<std::uint64_t>& count) {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  return count ? static_cast<std::int64_t>(std::min(*count, most)) : -1;
}

void write_texts(capnp::List<capnp::Text>::Builder list, const std::vector<std::string>& texts) {
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, texts[i]);
}

/// A device with what /sys and /dev tell of it.
struct Disk {
  const BlockDevice* device = nullptr;
  std::string bus;
  std::vector<std::string> aliases = {};
};

std::string sys_path(Host& host, const std::string& name) {
  const auto path = host.canonical(Path("/sys/block") / name);
  return path ? path->string() : std::string();
}

/// A reader without a card has no capacity; a disk without one is broken, but there.
bool is_empty_slot(const BlockDevice& device) { return device.size == 0 && device.removable; }

std::vector<Disk> find_disks(Host& host, const BlockDevices& devices, Gaps& gaps) {
  std::vector<Disk> disks;
  for (const auto& device : devices.all()) {
    if (device.type != "disk" || is_empty_slot(device)) continue;
    const auto sys = sys_path(host, device.name);
    if (!is_disk(device, sys)) continue;
    if (device.size == 0)
      gaps.problem(fmt::format("/dev/{}", device.name), "the kernel sees no capacity");
    disks.push_back({.device = &device, .bus = bus_of(device, sys)});
  }
  return disks;
}

void add_aliases(Host& host, std::vector<Disk>& disks, Gaps& gaps) {
  auto links = read_by_id(host);
  if (!links && links.error().fault == Fault::missing)
    return gaps.absent("names below /dev/disk/by-id", "there is no such folder: no udev here");
  if (!links) return gaps.problem("names below /dev/disk/by-id", links.error());
  for (auto& disk : disks) disk.aliases = (*links)[disk.device->name];
}

/// lsblk must know every disk that the kernel has.
void check_whole(Host& host, const BlockDevices& devices, Gaps& gaps) {
  const auto names = host.list("/sys/block");
  if (!names) return gaps.problem("the list of disks", names.error());
  for (const auto& name : *names) {
    const auto hidden = host.read_file(Path("/sys/block") / name / "hidden");
    const bool is_hidden = hidden && trim(*hidden) == "1";
    const auto sys = sys_path(host, name);
    if (devices.find(name) == nullptr && !is_hidden &&
        sys.find("/virtual/block/") == std::string::npos)
      gaps.problem(fmt::format("/dev/{}", name), "the kernel has it, but lsblk does not list it");
  }
}

void write_disk(const Disk& disk, schema::AuditDisks::Disk::Builder builder) {
  const auto& device = *disk.device;
  builder.setName(device.name);
  builder.setById(best_name(disk.aliases));
  builder.setModel(device.model);
  builder.setSerial(device.serial);
  builder.setWwn(device.wwn);
  builder.setVendor(device.vendor);
  builder.setFirmware(device.revision);
  builder.setSize(device.size);
  builder.setBus(disk.bus);
  builder.setUsb(disk.bus == "usb");
  builder.setRotational(device.rotational);
  builder.setRemovable(device.removable);
  builder.setReadOnly(device.read_only);
  builder.setLogicalSector(static_cast<std::uint32_t>(device.logical_sector));
  builder.setPhysicalSector(static_cast<std::uint32_t>(device.physical_sector));
  builder.setPartitionTable(device.partition_table);
  write_texts(builder.initAliases(length(disk.aliases.size())), disk.aliases);
  builder.setFileSystem(device.file_system);
  builder.setLabel(device.label);
  builder.setUuid(device.uuid);
}

void write_partition(const BlockDevice& device, schema::AuditDisks::Partition::Builder builder) {
  builder.setDisk(device.parents.empty() ? "" : device.parents[0]);
  builder.setName(device.name);
  builder.setStart(device.start);
  builder.setSize(device.size);
  builder.setTypeName(device.partition_type);
  builder.setFileSystem(device.file_system);
  builder.setLabel(device.label);
  builder.setUuid(device.uuid);
  builder.setPartLabel(device.partition_label);
  builder.setPartUuid(device.partition_uuid);
  write_texts(builder.initMountpoints(length(device.mountpoints.size())), device.mountpoints);
}

void write_volume(const BlockDevices& devices, const BlockDevice& device,
                  schema::AuditDisks::Volume::Builder builder) {
  std::vector<std::string> below;
  if (!device.parents.empty())
    for (const auto* disk : devices.disks_of(device.name)) below.push_back(disk->name);
  builder.setName(device.name);
  builder.setPath(device.path);
  builder.setKind(volume_kind(device));
  write_texts(builder.initDisks(length(below.size())), below);
  builder.setSize(device.size);
  builder.setFileSystem(device.file_system);
  builder.setLabel(device.label);
  builder.setUuid(device.uuid);
  write_texts(builder.initMountpoints(length(device.mountpoints.size())), device.mountpoints);
}

schema::AuditDisks::Health health_of(const Smart& smart) {
  if (!smart.passed) return schema::AuditDisks::Health::UNKNOWN;
  return *smart.passed ? schema::AuditDisks::Health::PASSED : schema::AuditDisks::Health::FAILED;
}

void write_smart(const Diagnosis& diagnosis, schema::AuditDisks::Smart::Builder builder) {
  const auto& smart = diagnosis.smart;
  builder.setDisk(diagnosis.disk);
  builder.setHealth(health_of(smart));
  builder.setExitStatus(static_cast<std::uint16_t>(smart.exit_status));
  builder.setSerial(smart.serial);
  builder.setPowerOnHours(or_unknown(smart.power_on_hours));
  builder.setTemperature(or_unknown(smart.temperature));
  builder.setReallocated(or_unknown(smart.reallocated));
  builder.setPending(or_unknown(smart.pending));
  builder.setUncorrectable(or_unknown(smart.uncorrectable));
  builder.setCrcErrors(or_unknown(smart.crc_errors));
  builder.setWear(or_unknown(smart.wear));
  builder.setSpare(or_unknown(smart.spare));
  builder.setCriticalWarning(or_unknown(smart.critical_warning));
  builder.setErrorsLogged(or_unknown(smart.errors_logged));
  builder.setSelfTestErrors(or_unknown(smart.self_test_errors));
  write_texts(builder.initFailingAttributes(length(smart.failing.size())), smart.failing);
  builder.setMessages(smart.messages);
}

void write_users(const BlockDevices& devices, Facts::Builder facts) {
  const auto users = users_of(devices);
  auto list = facts.initUsers(length(users.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    auto user = list[i];
    user.setDisk(users[i].disk);
    user.setDevice(users[i].device);
    user.setKind(users[i].kind);
    user.setName(users[i].name);
  }
}

/// Everything with a capacity that is neither a disk, nor a partition, nor a CD drive.
bool is_volume(const BlockDevice& device, const std::vector<Disk>& disks) {
  return device.size != 0 && device.type != "part" && device.type != "rom" &&
         std::ranges::find(disks, &device, &Disk::device) == disks.end();
}

void write_devices(const BlockDevices& devices, const std::vector<Disk>& disks,
                   Facts::Builder facts) {
  std::vector<const BlockDevice*> partitions;
  std::vector<const BlockDevice*> volumes;
  for (const auto& device : devices.all()) {
    if (device.type == "part") partitions.push_back(&device);
    if (is_volume(device, disks)) volumes.push_back(&device);
  }
  auto disk_list = facts.initDisks(length(disks.size()));
  for (unsigned i = 0; i < disk_list.size(); ++i) write_disk(disks[i], disk_list[i]);
  auto partition_list = facts.initPartitions(length(partitions.size()));
  for (unsigned i = 0; i < partition_list.size(); ++i)
    write_partition(*partitions[i], partition_list[i]);
  auto volume_list = facts.initVolumes(length(volumes.size()));
  for (unsigned i = 0; i < volume_list.size(); ++i)
    write_volume(devices, *volumes[i], volume_list[i]);
}

void write_mounts(Host& host, Facts::Builder facts, Gaps& gaps) {
  auto mounts = read_mounts(host);
  if (!mounts) {
    gaps.problem("mounts", mounts.error());
    return;
  }
  std::erase_if(*mounts, [](const Mount& mount) { return !holds_files(mount.type); });
  auto list = facts.initMounts(length(mounts->size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    list[i].setPoint((*mounts)[i].point.string());
    list[i].setType((*mounts)[i].type);
    list[i].setSource((*mounts)[i].source);
  }
}

void write_health(Host& host, const std::vector<Disk>& disks, Facts::Builder facts, Gaps& gaps) {
  std::vector<Patient> patients;
  for (const auto& disk : disks)
    if (disk.device->size != 0) patients.push_back({.name = disk.device->name, .bus = disk.bus});
  const auto diagnoses = read_health(host, patients, gaps);
  auto list = facts.initSmart(length(diagnoses.size()));
  for (unsigned i = 0; i < list.size(); ++i) write_smart(diagnoses[i], list[i]);
}

}  // namespace

Result<Message<Facts>> AuditDisks::observe(Params::Reader, Host& host) {
  Draft<Facts> facts;
  Gaps gaps;
  if (const auto container = container_kind(host); !container.empty()) {
    gaps.all_absent(fmt::format("a {} container has no disks of its own", container));
  } else {
    RELAB_TRY(const auto devices, BlockDevices::read(host));
    for (const auto& device : devices.unread())
      gaps.problem(fmt::format("content of /dev/{}", device.name), device.why);
    auto disks = find_disks(host, devices, gaps);
    add_aliases(host, disks, gaps);
    check_whole(host, devices, gaps);
    write_devices(devices, disks, *facts);
    write_users(devices, *facts);
    write_mounts(host, *facts, gaps);
    write_health(host, disks, *facts, gaps);
    if (disks.empty() && !gaps.has_problems()) gaps.all_absent("no disk on this machine");
  }
  gaps.store(facts->initCoverage());
  return std::move(facts).finish();
}

}  // namespace relab::agent::disks
