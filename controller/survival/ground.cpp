#include "controller/survival/ground.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/dataset.h"
#include "common/base/text.h"
#include "common/wire/message.h"
#include "controller/lab/hosts.h"
#include "controller/survival/members.h"

namespace relab::controller {

namespace {

using Role = schema::Lab::Disk::Role;

/// The longest folder that holds the path so far.
template <typename Row>
struct Nearest {
  std::string folder;
  std::optional<Row> row = {};

  void offer(const std::string& path, const std::string& candidate, Row found) {
    if (!is_below(path, candidate) || (row && candidate.size() <= folder.size())) return;
    folder = candidate;
    row = found;
  }
};

std::optional<schema::Lab::Disk::Reader> disk_named(schema::Lab::Reader lab,
                                                    std::string_view name) {
  for (const auto disk : lab.getDisks())
    if (view(disk.getName()) == name) return disk;
  return {};
}

std::optional<Lot> lost_below(const std::string& path, const std::string& folder, const Lot& lot) {
  if (folder == path || !is_below(folder, path) || lot.survives) return {};
  return Lot{.why = fmt::format("{} below it is lost: {}", folder, lot.why)};
}

/// Whether each of "SER1,SER2" is a disk for backups.
bool are_for_backups(schema::Lab::Reader lab, std::string_view serials) {
  return !serials.empty() && std::ranges::all_of(split(serials, ','), [&](auto serial) {
    return any_in(lab.getDisks(), [&](auto disk) {
      return view(disk.getSerial()) == serial && disk.getRole() == Role::BACKUP;
    });
  });
}

/// Whether lsblk's list "/, /srv" has that mount point.
bool names(std::string_view list, std::string_view point) {
  for (const auto word : split(list, ','))
    if (trim(word) == point) return true;
  return list == point;
}

}  // namespace

std::string root_pool_of(const HostAudit& audit) {
  std::string pool;
  if (audit.disks) {
    // Of two at one place the later one is seen.
    for (const auto mount : audit.disks->getMounts())
      if (view(mount.getPoint()) == "/")
        pool = view(mount.getType()) == "zfs" ? pool_of(view(mount.getSource())) : "";
  } else if (audit.zfs) {
    for (const auto row : audit.zfs->getDatasets())
      if (view(row.getMountpoint()) == "/" && row.getMounted()) pool = pool_of(view(row.getName()));
  }
  return pool;
}

std::string serial_of(schema::AuditDisks::Facts::Reader disks, std::string_view kernel_name) {
  for (const auto disk : disks.getDisks())
    if (view(disk.getName()) == kernel_name) return str(disk.getSerial());
  return {};
}

bool is_below(std::string_view path, std::string_view folder) {
  if (folder == "/") return path.starts_with('/');
  if (folder.empty() || !path.starts_with(folder)) return false;
  return path.size() == folder.size() || path[folder.size()] == '/';
}

Lot Ground::of_pool(const std::string& pool) const {
  for (const auto declared : lab_.getPools()) {
    if (view(declared.getName()) != pool || lab::host_of(declared, lab_) != host_) continue;
    for (const auto name : declared.getDisks()) {
      const auto disk = disk_named(lab_, view(name));
      if (!disk || disk->getRole() != Role::DATA)
        return {.why = fmt::format("the pool '{}' lies on {}, which is no disk of data", pool,
                                   view(name))};
    }
    if (declared.getDisks().size() == 0) break;
    if (auto concern = place_concern(declared); !concern.empty())
      return {.why = fmt::format("the pool '{}' is not where lab.toml says: {}", pool, concern)};
    return {.survives = true, .why = fmt::format("on the pool of data '{}'", pool)};
  }
  if (audit_.zfs && lies_on_backups(audit_.zfs->getVdevs(), pool))
    return {.survives = true, .why = fmt::format("the pool '{}' is on disks for backups", pool)};
  return {.why = fmt::format("the pool '{}' is not declared in lab.toml", pool)};
}

bool Ground::declares_data(std::string_view pool) const {
  return any_in(lab_.getPools(), [&](auto declared) {
    return view(declared.getName()) == pool && lab::host_of(declared, lab_) == host_ &&
           declared.getDisks().size() != 0 && !any_in(declared.getDisks(), [&](auto name) {
             const auto disk = disk_named(lab_, view(name));
             return !disk || disk->getRole() != Role::DATA;
           });
  });
}

std::string Ground::place_concern(schema::Lab::Pool::Reader pool) const {
  if (!audit_.zfs) return {};
  const auto vdevs = audit_.zfs->getVdevs();
  const bool shown =
      any_in(vdevs, [&](auto vdev) { return view(vdev.getPool()) == view(pool.getName()); });
  return shown ? member_concern(lab_, pool, vdevs) : std::string();
}

Lot Ground::of_exported_pool(const std::string& pool) const {
  if (audit_.zfs && lies_on_backups(audit_.zfs->getImportableVdevs(), pool))
    return {.survives = true, .why = fmt::format("the pool '{}' is on disks for backups", pool)};
  return {.why = fmt::format("the pool '{}' is not imported, and not declared in lab.toml", pool)};
}

bool Ground::lies_on_backups(Vdevs vdevs, const std::string& pool) const {
  const auto leaves = leaves_of(pool, vdevs);
  return !leaves.empty() && std::ranges::all_of(leaves, [&](auto leaf) {
    return are_for_backups(lab_, view(leaf.getSerial()));
  });
}

Lot Ground::of_disk(const std::string& serial) const {
  if (serial.empty()) return {.why = "its disk tells no serial number"};
  for (const auto disk : lab_.getDisks()) {
    if (view(disk.getSerial()) != serial) continue;
    const auto words = fmt::format("on the disk {} ({})", view(disk.getName()), serial);
    if (disk.getRole() == Role::DATA || disk.getRole() == Role::BACKUP)
      return {.survives = true, .why = words};
    return {.why = words + ", which the installation overwrites"};
  }
  return {.why = fmt::format("its disk {} is not declared in lab.toml", serial)};
}

Lot Ground::of_dataset(const std::string& name) const {
  // A snapshot that is mounted in .zfs has "tank@daily" as its source.
  auto lot = of_pool(std::string(pool_of(name)));
  lot.why = fmt::format("in {}, {}", name, lot.why);
  return lot;
}

Lot Ground::of_mount(schema::AuditDisks::Mount::Reader mount) const {
  const auto point = view(mount.getPoint());
  if (view(mount.getType()) == "zfs") return of_dataset(str(mount.getSource()));
  std::optional<Lot> worst;
  for (const auto user : audit_.disks->getUsers()) {
    if (view(user.getKind()) != "mount" || !names(view(user.getName()), point)) continue;
    auto lot = of_disk(serial_of(*audit_.disks, view(user.getDisk())));
    if (!worst || !lot.survives) worst = std::move(lot);
  }
  if (!worst)
    worst = Lot{.why = fmt::format("{} ({}) is on no disk of this machine that the audit knows",
                                   view(mount.getSource()), view(mount.getType()))};
  worst->why += fmt::format(", mounted on {}", point);
  return *worst;
}

Lot Ground::of_host_path(const std::string& path) const {
  std::optional<schema::AuditDisks::Mount::Reader> nearest;
  if (audit_.disks)
    for (const auto mount : audit_.disks->getMounts())
      // Of two at one place the later one is seen.
      if (is_below(path, view(mount.getPoint())) &&
          (!nearest || mount.getPoint().size() >= nearest->getPoint().size()))
        nearest = mount;
  if (!nearest) return {.why = "the audit does not tell on what it lies"};
  return of_mount(*nearest);
}

std::optional<Lot> Ground::lost_below_host(const std::string& path) const {
  if (audit_.disks)
    for (const auto mount : audit_.disks->getMounts())
      if (auto lost = lost_below(path, str(mount.getPoint()), of_mount(mount))) return lost;
  return {};
}

Lot Ground::of_volume(const std::string& storage, const std::string& volume) const {
  for (const auto row : audit_.guests->getStorages()) {
    if (view(row.getId()) != storage) continue;
    if (view(row.getType()) == "zfspool")
      return of_dataset(fmt::format("{}/{}", view(row.getPool()), volume));
    if (view(row.getType()) == "dir")
      return of_host_path(fmt::format("{}/images/{}", view(row.getPath()), volume));
    return {.why =
                fmt::format("the volume {} is on the storage '{}' ({}), which is no pool of data",
                            volume, storage, view(row.getType()))};
  }
  return {.why = fmt::format("the audit does not tell where the storage '{}' is", storage)};
}

Lot Ground::of_machine(std::uint32_t vmid) const {
  std::optional<Lot> worst;
  for (const auto row : audit_.guests->getDisks()) {
    if (row.getVmid() != vmid || row.getCdrom()) continue;
    auto lot = row.getStorage().size() == 0
                   ? Lot{.why = fmt::format("{} is a disk of the host that is handed through",
                                            view(row.getVolume()))}
                   : of_volume(str(row.getStorage()), str(row.getVolume()));
    lot.why = fmt::format("{}: {}", view(row.getKey()), lot.why);
    if (!worst || !lot.survives) worst = std::move(lot);
  }
  if (worst) return *worst;
  return {.why = fmt::format("the audit tells of no disk of the virtual machine {}", vmid)};
}

bool Ground::is_virtual_machine(std::uint32_t vmid) const {
  return audit_.guests && any_in(audit_.guests->getGuests(), [&](auto guest) {
           return guest.getVmid() == vmid && guest.getType() != schema::AuditGuests::Type::LXC;
         });
}

Lot Ground::of_guest_disk(schema::AuditGuests::Disk::Reader disk) const {
  const auto volume = str(disk.getVolume());
  if (disk.getStorage().size() != 0) return of_volume(str(disk.getStorage()), volume);
  auto lot = of_host_path(volume);
  lot.why = fmt::format("{} of the host, {}", volume, lot.why);
  return lot;
}

std::string Ground::folder_of(schema::AuditGuests::Disk::Reader disk) const {
  if (disk.getStorage().size() == 0) return str(disk.getVolume());
  for (const auto row : audit_.guests->getStorages()) {
    if (view(row.getId()) != view(disk.getStorage()) || view(row.getType()) != "zfspool") continue;
    const auto dataset = fmt::format("{}/{}", view(row.getPool()), view(disk.getVolume()));
    if (audit_.disks)
      for (const auto mount : audit_.disks->getMounts())
        if (view(mount.getSource()) == dataset) return str(mount.getPoint());
  }
  return {};
}

std::optional<Lot> Ground::lost_below_guest(std::uint32_t vmid, const std::string& path) const {
  if (!audit_.guests) return {};
  for (const auto row : audit_.guests->getMounts())
    if (row.getVmid() == vmid)
      if (auto lost =
              lost_below(path, str(row.getGuestPath()), of_host_path(str(row.getHostPath()))))
        return lost;
  for (const auto row : audit_.guests->getDisks())
    if (row.getVmid() == vmid && !row.getUnused() && !row.getCdrom())
      if (auto lost = lost_below(path, str(row.getGuestPath()), of_guest_disk(row))) return lost;
  return {};
}

Ground::Holder Ground::holder_of(std::uint32_t vmid, const std::string& path) const {
  Nearest<schema::AuditGuests::Mount::Reader> bind;
  for (const auto row : audit_.guests->getMounts())
    if (row.getVmid() == vmid) bind.offer(path, str(row.getGuestPath()), row);
  Nearest<schema::AuditGuests::Disk::Reader> disk;
  for (const auto row : audit_.guests->getDisks()) {
    if (row.getVmid() != vmid || row.getUnused() || row.getCdrom()) continue;
    const bool root = view(row.getKey()) == "rootfs";
    if (root || row.getGuestPath().size() != 0)
      disk.offer(path, root ? "/" : str(row.getGuestPath()), row);
  }
  const auto rest = [&](const std::string& folder) {
    return path.substr(folder == "/" ? 0 : folder.size());
  };
  if (bind.row && (!disk.row || bind.folder.size() >= disk.folder.size()))
    return {.disk = {}, .on_host = str(bind.row->getHostPath()) + rest(bind.folder)};
  if (!disk.row) return {};
  const auto folder = folder_of(*disk.row);
  return {.disk = disk.row, .on_host = folder.empty() ? folder : folder + rest(disk.folder)};
}

std::string Ground::on_host(std::uint32_t vmid, const std::string& path) const {
  if (vmid == 0) return path;
  return audit_.guests ? holder_of(vmid, path).on_host : std::string();
}

Lot Ground::of_guest_path(std::uint32_t vmid, const std::string& path) const {
  if (!audit_.guests) return {.why = "the guests were not read"};
  if (is_virtual_machine(vmid)) return of_machine(vmid);
  const auto holder = holder_of(vmid, path);
  if (holder.disk) return of_guest_disk(*holder.disk);
  if (holder.on_host.empty())
    return {.why = fmt::format("the audit does not tell on what it lies in guest {}", vmid)};
  auto lot = of_host_path(holder.on_host);
  lot.why = fmt::format("{} of the host, {}", holder.on_host, lot.why);
  return lot;
}

}  // namespace relab::controller
