#include "controller/survival/ground.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"
#include "common/wire/message.h"

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

/// The serial number of a disk that the kernel calls by this name now.
std::string serial_of(schema::AuditDisks::Facts::Reader disks, std::string_view kernel_name) {
  for (const auto disk : disks.getDisks())
    if (view(disk.getName()) == kernel_name) return str(disk.getSerial());
  return {};
}

std::optional<Lot> lost_below(const std::string& path, const std::string& folder, const Lot& lot) {
  if (folder == path || !is_below(folder, path) || lot.survives) return {};
  return Lot{.why = fmt::format("{} below it is lost: {}", folder, lot.why)};
}

bool is_mount(schema::AuditDisks::User::Reader user) { return view(user.getKind()) == "mount"; }

}  // namespace

bool is_below(std::string_view path, std::string_view folder) {
  if (folder == "/") return path.starts_with('/');
  if (folder.empty() || !path.starts_with(folder)) return false;
  return path.size() == folder.size() || path[folder.size()] == '/';
}

Lot Ground::of_pool(const std::string& pool) const {
  for (const auto declared : lab_.getPools()) {
    if (view(declared.getName()) != pool) continue;
    for (const auto name : declared.getDisks()) {
      const auto disk = disk_named(lab_, view(name));
      if (!disk || disk->getRole() != Role::DATA)
        return {.why = fmt::format("the pool '{}' lies on {}, which is no disk of data", pool,
                                   view(name))};
    }
    if (declared.getDisks().size() == 0) break;
    return {.survives = true, .why = fmt::format("on the pool of data '{}'", pool)};
  }
  return {.why = fmt::format("the pool '{}' is not declared in lab.toml", pool)};
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

Lot Ground::of_dataset(schema::AuditZfs::Dataset::Reader dataset) const {
  const auto name = str(dataset.getName());
  auto lot = of_pool(name.substr(0, name.find('/')));
  lot.why = fmt::format("in {}, {}", name, lot.why);
  return lot;
}

Lot Ground::of_mount(schema::AuditDisks::User::Reader mount) const {
  auto lot = of_disk(serial_of(*audit_.disks, view(mount.getDisk())));
  lot.why += fmt::format(", mounted on {}", view(mount.getName()));
  return lot;
}

Lot Ground::of_host_path(const std::string& path) const {
  Nearest<schema::AuditZfs::Dataset::Reader> dataset;
  if (audit_.zfs)
    for (const auto row : audit_.zfs->getDatasets())
      if (row.getMounted()) dataset.offer(path, str(row.getMountpoint()), row);
  Nearest<schema::AuditDisks::User::Reader> mount;
  if (audit_.disks)
    for (const auto row : audit_.disks->getUsers())
      if (is_mount(row)) mount.offer(path, str(row.getName()), row);
  if (!dataset.row && !mount.row) return {.why = "the audit does not tell on what it lies"};
  if (!dataset.row || mount.folder.size() > dataset.folder.size()) return of_mount(*mount.row);
  auto lot = of_dataset(*dataset.row);
  // Both on one folder: nobody knows which of them hides the other.
  if (mount.row && mount.folder == dataset.folder && lot.survives) return of_mount(*mount.row);
  return lot;
}

std::optional<Lot> Ground::lost_below_host(const std::string& path) const {
  if (audit_.zfs)
    for (const auto row : audit_.zfs->getDatasets())
      if (row.getMounted())
        if (auto lost = lost_below(path, str(row.getMountpoint()), of_dataset(row))) return lost;
  if (audit_.disks)
    for (const auto row : audit_.disks->getUsers())
      if (is_mount(row))
        if (auto lost = lost_below(path, str(row.getName()), of_mount(row))) return lost;
  return {};
}

Lot Ground::of_volume(const std::string& storage, const std::string& volume) const {
  // The storage's own pool is not known here, and volumes of one name may be in several: a copy
  // that was left behind, or a replica. What is lost in one of them counts as lost.
  std::optional<Lot> found;
  if (audit_.zfs)
    for (const auto row : audit_.zfs->getDatasets()) {
      const auto name = str(row.getName());
      if (!name.ends_with("/" + volume)) continue;
      auto lot = of_dataset(row);
      if (!found || !lot.survives) found = std::move(lot);
    }
  if (found) return *found;
  return {.why = fmt::format("the volume {} of the storage '{}' is on no pool of data", volume,
                             storage)};
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

Lot Ground::of_guest_path(std::uint32_t vmid, const std::string& path) const {
  if (!audit_.guests) return {.why = "the guests were not read"};
  if (is_virtual_machine(vmid)) return of_machine(vmid);
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
  if (bind.row && (!disk.row || bind.folder.size() >= disk.folder.size())) {
    const auto rest = path.substr(bind.folder == "/" ? 0 : bind.folder.size());
    const auto on_host = str(bind.row->getHostPath()) + rest;
    auto lot = of_host_path(on_host);
    lot.why = fmt::format("{} of the host, {}", on_host, lot.why);
    return lot;
  }
  if (!disk.row)
    return {.why = fmt::format("the audit does not tell on what it lies in guest {}", vmid)};
  return of_guest_disk(*disk.row);
}

}  // namespace relab::controller
