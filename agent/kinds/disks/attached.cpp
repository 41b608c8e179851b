#include "agent/kinds/disks/attached.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/disks/inventory.h"
#include "agent/kinds/support/external.h"
#include "agent/kinds/support/fill.h"

namespace relab::agent::disks {

namespace {

using Facts = schema::DiskAttached::Facts;

std::string sys_path(Host& host, const std::string& name) {
  const auto path = host.canonical(Path("/sys/block") / name);
  return path ? path->string() : std::string();
}

/// nullptr if there is none yet. A disk on its way in shows without a capacity first.
Result<const BlockDevice*> find_disk(Host& host, const BlockDevices& devices,
                                     const std::string& serial) {
  const BlockDevice* found = nullptr;
  for (const auto& device : devices.all()) {
    if (device.serial != serial || device.size == 0) continue;
    if (!is_disk(device, sys_path(host, device.name))) continue;
    if (found != nullptr)
      return fail(
          Fault::conflict,
          fmt::format("{} and {} both have the serial number {}", found->path, device.path, serial),
          "several ways to one disk, or a USB adapter that makes numbers up: tell them "
          "apart by hand");
    found = &device;
  }
  return found;
}

void write_users(const BlockDevices& devices, const BlockDevice& disk, Facts::Builder facts) {
  auto users = users_of(devices);
  std::erase_if(users, [&](const User& user) { return user.disk != disk.name; });
  fill(facts.initUsers(size_of(users)), users, [](auto row, const User& user) {
    row.setDisk(user.disk);
    row.setDevice(user.device);
    row.setKind(user.kind);
    row.setName(user.name);
  });
}

/// Mounted file systems and swap have mount points.
bool is_mounted(const BlockDevices& devices, const BlockDevice& disk) {
  return std::ranges::any_of(devices.all(), [&](const BlockDevice& device) {
    return !device.mountpoints.empty() &&
           std::ranges::count(devices.disks_of(device.name), &disk) != 0;
  });
}

}  // namespace

Result<void> describe_disk(const std::string& serial, const BlockDevices& devices, Host& host,
                           Facts::Builder facts) {
  RELAB_TRY(const auto* disk, find_disk(host, devices, serial));
  if (disk == nullptr) return {};
  RELAB_TRY(const auto aliases, aliases_of(host, disk->name));
  facts.setAttached(true);
  facts.setPath(disk->path);
  facts.setById(best_name(aliases));
  auto names = facts.initAliases(size_of(aliases));
  for (unsigned i = 0; i < names.size(); ++i) names.set(i, aliases[i]);
  facts.setModel(disk->model);
  facts.setSerial(disk->serial);
  facts.setSize(disk->size);
  facts.setBus(bus_of(*disk, sys_path(host, disk->name)));
  write_users(devices, *disk, facts);
  facts.setMounted(is_mounted(devices, *disk));
  return {};
}

Result<Message<Facts>> DiskAttached::observe(Params::Reader params, Host& host) {
  const auto serial = str(params.getSerial());
  if (serial.empty()) return fail(Fault::invalid, "no serial number is given");
  RELAB_TRY(const auto devices, BlockDevices::read(host));
  Draft<Facts> facts;
  RELAB_CHECK(describe_disk(serial, devices, host, *facts));
  return std::move(facts).finish();
}

std::optional<Awaited> DiskAttached::awaits(Params::Reader params, Facts::Reader facts) {
  if (facts.getAttached()) return {};
  return until_attached(str(params.getSerial()));
}

}  // namespace relab::agent::disks
