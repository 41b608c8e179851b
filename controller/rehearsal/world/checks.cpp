#include "controller/rehearsal/world/checks.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <set>

#include "common/base/text.h"
#include "common/base/time.h"
#include "common/wire/message.h"
#include "controller/lab/address.h"

namespace relab::rehearsal {

namespace {

using schema::World;

using Serials = std::set<std::string>;

/// "nginx.service", "wg-quick@wg0.service": systemd.unit(5).
bool is_service_name(std::string_view name) {
  constexpr std::string_view ending = ".service";
  constexpr std::string_view more = ":-_.\\@";
  return name.size() > ending.size() && name.ends_with(ending) && name[0] != '.' &&
         name[0] != '@' && std::ranges::all_of(name, [&](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                  more.find(c) != std::string_view::npos;
         });
}

std::set<std::uint32_t> containers_of(schema::AuditGuests::Facts::Reader guests) {
  std::set<std::uint32_t> containers;
  for (const auto guest : guests.getGuests())
    if (guest.getType() == schema::AuditGuests::Type::LXC) containers.insert(guest.getVmid());
  return containers;
}

/// Why no container has such programs; empty: it may.
std::string impossible_program(schema::AuditGuests::Facts::Reader guests) {
  const auto containers = containers_of(guests);
  const auto no_container = [&](std::string_view what, std::uint32_t vmid) {
    return containers.contains(vmid)
               ? std::string()
               : fmt::format("{} is in {}, which is no container", clean_text(what), vmid);
  };
  for (const auto unit : guests.getUnits()) {
    const auto name = view(unit.getName());
    if (!is_service_name(name))
      return fmt::format("'{}' is no name of a service of systemd", clean_text(name));
    if (auto why = no_container(name, unit.getVmid()); !why.empty()) return why;
  }
  for (const auto port : guests.getPorts()) {
    const auto address = view(port.getAddress());
    if (!lab::parse_ipv4(address) && address.find(':') == std::string_view::npos)
      return fmt::format("'{}' is no address to listen on", clean_text(address));
    if (auto why = no_container(fmt::format("port {}", port.getPort()), port.getVmid());
        !why.empty())
      return why;
  }
  for (const auto container : guests.getDocker())
    if (auto why = no_container(view(container.getName()), container.getVmid()); !why.empty())
      return why;
  for (const auto tunnel : guests.getTunnels()) {
    const std::filesystem::path path = str(tunnel.getPath());
    if (!path.is_absolute() || path.lexically_normal() != path || !path.has_filename())
      return fmt::format("'{}' is no absolute path of a file", clean_text(view(tunnel.getPath())));
    if (auto why = no_container(view(tunnel.getPath()), tunnel.getVmid()); !why.empty()) return why;
  }
  return {};
}

/// Disks that are named elsewhere, and that the machine does not have.
std::string unknown_disk(World::Reader world, const Serials& serials) {
  const auto unknown = [&](std::string_view serial) {
    return fmt::format("no disk has the serial number '{}'", clean_text(serial));
  };
  for (const auto serial : world.getUnplugged())
    if (!serials.contains(str(serial))) return "unplugged: " + unknown(view(serial));
  for (const auto speed : world.getSpeeds()) {
    if (!serials.contains(str(speed.getSerial())))
      return "speeds: " + unknown(view(speed.getSerial()));
    if (speed.getRead() == 0 || speed.getWrite() == 0)
      return fmt::format("the disk {} would never be read or written at a speed of 0",
                         view(speed.getSerial()));
  }
  return {};
}

/// Where a pool says other sizes than its disks; partitions make it smaller, and ZFS what it needs
/// itself.
std::string impossible_size(World::Reader world, schema::AuditZfs::Pool::Reader pool) {
  std::map<std::string, std::uint64_t> sizes;
  for (const auto disk : world.getDisks().getDisks()) sizes[str(disk.getSerial())] = disk.getSize();
  std::uint64_t sum = 0;
  bool is_known = false;
  for (const auto vdev : world.getZfs().getVdevs()) {
    if (view(vdev.getPool()) != view(pool.getName()) || vdev.getDevice().size() == 0) continue;
    const auto size = sizes.find(str(vdev.getSerial()));
    if (size == sizes.end() || size->second == 0) return {};
    sum += size->second;
    is_known = true;
  }
  if (!is_known || pool.getSize() <= sum) return {};
  return fmt::format("the pool {} has {}, and its disks have {} together", view(pool.getName()),
                     human_bytes(pool.getSize()), human_bytes(sum));
}

/// Of what is below it, a dataset says less than there is. Some of it may have been written
/// meanwhile.
std::string impossible_use(schema::AuditZfs::Facts::Reader zfs) {
  constexpr std::uint64_t meanwhile = std::uint64_t{1} << 30U;
  constexpr std::uint64_t percent = 100;
  std::map<std::string, std::uint64_t> below;
  for (const auto dataset : zfs.getDatasets()) {
    const auto name = str(dataset.getName());
    if (const auto slash = name.rfind('/'); slash != std::string::npos)
      below[name.substr(0, slash)] += dataset.getUsed();
  }
  for (const auto dataset : zfs.getDatasets()) {
    const auto sum = below.find(str(dataset.getName()));
    if (sum == below.end()) continue;
    if (sum->second > dataset.getUsed() + dataset.getUsed() / percent + meanwhile)
      return fmt::format("the dataset {} uses {}, and those in it {}", view(dataset.getName()),
                         human_bytes(dataset.getUsed()), human_bytes(sum->second));
  }
  return {};
}

std::string impossible_pools(World::Reader world) {
  const auto zfs = world.getZfs();
  std::set<std::string> pools;
  std::map<std::string, std::uint64_t> sizes;
  for (const auto pool : zfs.getPools()) {
    const auto name = str(pool.getName());
    sizes[name] = pool.getSize();
    if (!pools.insert(name).second)
      return fmt::format("two pools are called '{}'", clean_text(name));
    if (pool.getAllocated() > pool.getSize())
      return fmt::format("the pool {} has {}, and {} of it are allocated", clean_text(name),
                         human_bytes(pool.getSize()), human_bytes(pool.getAllocated()));
    // Of one that may only be read, ZFS does not know what is in use.
    const auto told = pool.getAllocated() + pool.getFree();
    const auto slack = pool.getSize() / 50;
    if (pool.getFree() != 0 && !pool.getReadonly() &&
        (told > pool.getSize() + slack || told + slack < pool.getSize()))
      return fmt::format("the pool {} has {}, and {} in use and {} free are not that",
                         clean_text(name), human_bytes(pool.getSize()),
                         human_bytes(pool.getAllocated()), human_bytes(pool.getFree()));
    if (auto why = impossible_size(world, pool); !why.empty()) return why;
  }
  const auto no_pool = [&](std::string_view what, std::string_view pool) {
    return fmt::format("{} is of the pool '{}', which is not there", clean_text(what),
                       clean_text(pool));
  };
  for (const auto vdev : zfs.getVdevs())
    if (!pools.contains(str(vdev.getPool())))
      return no_pool("the device " + str(vdev.getName()), view(vdev.getPool()));
  std::set<std::string> datasets;
  for (const auto dataset : zfs.getDatasets()) {
    const auto name = str(dataset.getName());
    if (!datasets.insert(name).second)
      return fmt::format("two datasets are called '{}'", clean_text(name));
    const auto pool = name.substr(0, name.find('/'));
    if (!pools.contains(pool)) return no_pool("the dataset " + name, pool);
    if (sizes[pool] != 0 && dataset.getUsed() > sizes[pool])
      return fmt::format("the dataset {} uses {}, and its pool has {}", clean_text(name),
                         human_bytes(dataset.getUsed()), human_bytes(sizes[pool]));
  }
  for (const auto& name : datasets)
    if (const auto slash = name.rfind('/');
        slash != std::string::npos && !datasets.contains(name.substr(0, slash)))
      return fmt::format("the dataset '{}' is in none: there is no '{}'", clean_text(name),
                         clean_text(name.substr(0, slash)));
  return impossible_use(zfs);
}

/// A device by a kernel's name, which no other name hides.
bool is_plain_device(std::string_view path) {
  return std::ranges::any_of(std::array{"/dev/sd", "/dev/nvme", "/dev/vd"},
                             [&](std::string_view front) { return path.starts_with(front); });
}

std::string impossible_disks(World::Reader world) {
  const auto facts = world.getDisks();
  std::map<std::string, std::uint64_t> sizes;
  std::set<std::string> devices;
  for (const auto disk : facts.getDisks()) {
    sizes[str(disk.getName())] = disk.getSize();
    devices.insert("/dev/" + str(disk.getName()));
  }
  for (const auto part : facts.getPartitions()) {
    devices.insert("/dev/" + str(part.getName()));
    const auto disk = sizes.find(str(part.getDisk()));
    if (disk != sizes.end() && disk->second != 0 && part.getSize() > disk->second)
      return fmt::format("the partition {} has {}, and its disk has {}",
                         clean_text(view(part.getName())), human_bytes(part.getSize()),
                         human_bytes(disk->second));
  }
  for (const auto mount : facts.getMounts())
    if (is_plain_device(view(mount.getSource())) && !devices.contains(str(mount.getSource())))
      return fmt::format("{} is mounted on {}, and there is no such device",
                         clean_text(view(mount.getSource())), clean_text(view(mount.getPoint())));
  return {};
}

std::string impossible_file(World::Reader world) {
  const auto containers = containers_of(world.getGuests());
  for (const auto file : world.getFiles()) {
    const std::filesystem::path path = str(file.getPath());
    if (!path.is_absolute() || path.lexically_normal() != path || !path.has_filename())
      return fmt::format("'{}' is no absolute path of a file", clean_text(view(file.getPath())));
    if (file.getVmid() != 0 && !containers.contains(file.getVmid()))
      return fmt::format("the file {} is in {}, which is no container",
                         clean_text(view(file.getPath())), file.getVmid());
  }
  return {};
}

}  // namespace

std::string impossible(World::Reader world) {
  Serials serials;
  for (const auto disk : world.getDisks().getDisks())
    if (disk.getSerial().size() != 0 && !serials.insert(str(disk.getSerial())).second)
      return fmt::format("two disks have the serial number '{}'",
                         clean_text(view(disk.getSerial())));
  std::set<std::uint32_t> vmids;
  for (const auto guest : world.getGuests().getGuests())
    if (!vmids.insert(guest.getVmid()).second)
      return fmt::format("two guests have the number {}", guest.getVmid());
  if (auto why = impossible_program(world.getGuests()); !why.empty()) return why;
  if (auto why = unknown_disk(world, serials); !why.empty()) return why;
  if (auto why = impossible_disks(world); !why.empty()) return why;
  if (auto why = impossible_pools(world); !why.empty()) return why;
  return impossible_file(world);
}

}  // namespace relab::rehearsal
