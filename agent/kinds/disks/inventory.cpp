#include "agent/kinds/disks/inventory.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

namespace relab::agent::disks {

namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// "zd0" of "zd", not "zdisk".
bool is_numbered(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) && name.size() > prefix.size() && name[prefix.size()] >= '0' &&
         name[prefix.size()] <= '9';
}

/// The lower the better.
int rank(std::string_view name) {
  for (const auto* prefix : {"wwn-", "nvme-eui.", "nvme-nvme.", "nvme-uuid.", "scsi-3", "scsi-2"})
    if (name.starts_with(prefix)) return 2;
  return name.starts_with("scsi-") || name.starts_with("dm-") || name.starts_with("md-") ? 1 : 0;
}

/// What members of something bigger are called by lsblk, and what we call the user.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> members = {
    {{"LVM2_member", "lvm"},
     {"linux_raid_member", "md"},
     {"crypto_LUKS", "crypt"},
     {"ceph_bluestore", "ceph"}}};

std::string short_name(const BlockDevice& device) {
  return device.path.empty() ? device.name : Path(device.path).filename().string();
}

std::string names_above(const BlockDevices& devices, const BlockDevice& below) {
  std::vector<std::string> names;
  for (const auto& device : devices.all())
    if (std::ranges::count(device.parents, below.name) != 0 && device.type != "part")
      names.push_back(short_name(device));
  return fmt::format("{}", fmt::join(names, ", "));
}

/// Kind and name of what uses a device directly; an empty kind if nothing does.
std::pair<std::string, std::string> user_of(const BlockDevices& devices,
                                            const BlockDevice& device) {
  const auto mountpoints = fmt::format("{}", fmt::join(device.mountpoints, ", "));
  const auto member = std::ranges::find(members, device.file_system,
                                        &std::pair<std::string_view, std::string_view>::first);
  if (device.file_system == "zfs_member") return {"zfs", device.label};
  if (member != members.end()) return {std::string(member->second), names_above(devices, device)};
  if (device.file_system == "swap") return {"swap", mountpoints};
  if (!mountpoints.empty()) return {"mount", mountpoints};
  if (device.file_system.empty()) return {};
  return {"filesystem",
          device.label.empty() ? device.file_system : device.file_system + " " + device.label};
}

}  // namespace

bool is_disk(const BlockDevice& device, std::string_view sys) {
  if (device.type != "disk" || is_numbered(device.name, "fd")) return false;
  if (!sys.empty()) return !contains(sys, "/virtual/block/");
  for (const auto* prefix : {"loop", "ram", "zram", "zd", "nbd", "dm-", "md", "drbd"})
    if (is_numbered(device.name, prefix)) return false;
  return true;
}

std::string bus_of(const BlockDevice& device, std::string_view sys) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 5> places = {
      {{"/virtio", "virtio"},
       {"/nvme", "nvme"},
       {"/ata", "sata"},
       {"/mmc_host", "mmc"},
       {"/vbd-", "xen"}}};
  if (contains(sys, "/usb")) return "usb";
  if (!device.transport.empty()) return device.transport;
  for (const auto& [place, bus] : places)
    if (contains(sys, place)) return std::string(bus);
  return {};
}

std::string volume_kind(const BlockDevice& device) {
  for (const auto& [prefix, kind] :
       {std::pair("zd", "zvol"), std::pair("zram", "zram"), std::pair("nbd", "nbd")})
    if (is_numbered(device.name, prefix)) return kind;
  return device.type;
}

std::string best_name(const std::vector<std::string>& names) {
  const auto better = [](const std::string& a, const std::string& b) {
    return std::make_pair(rank(a), a.size()) < std::make_pair(rank(b), b.size());
  };
  const auto best = std::ranges::min_element(names, better);
  return best == names.end() ? std::string() : *best;
}

std::vector<User> users_of(const BlockDevices& devices) {
  std::vector<User> users;
  for (const auto& device : devices.all()) {
    const auto [kind, name] = user_of(devices, device);
    if (kind.empty()) continue;
    for (const auto* disk : devices.disks_of(device.name))
      if (volume_kind(*disk) == "disk")
        users.push_back(
            {.disk = disk->name, .device = short_name(device), .kind = kind, .name = name});
  }
  return users;
}

}  // namespace relab::agent::disks
