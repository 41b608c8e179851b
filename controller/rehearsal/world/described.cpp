#include "controller/rehearsal/world/described.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/number.h"
#include "common/wire/message.h"
#include "controller/lab/hosts.h"

namespace relab::rehearsal {

namespace {

using Pool = schema::Lab::Pool::Reader;
using Guest = schema::Lab::Guest::Reader;

constexpr std::uint64_t gib = std::uint64_t{1} << 30U;
constexpr std::uint64_t sector = 512;

/// Of a data pool that nobody has looked into.
constexpr std::uint64_t usual_fill_percent = 40;
constexpr std::uint64_t usual_system = 12 * gib;
constexpr std::uint64_t usual_root = 3 * gib;

std::string underscored(std::string_view text) {
  std::string name(text);
  std::ranges::replace(name, ' ', '_');
  return name;
}

int rank(schema::Lab::Disk::Role role) { return static_cast<int>(role); }

}  // namespace

std::string disk_name(std::size_t index) {
  constexpr std::size_t letters = 26;
  std::string name;
  for (auto rest = index + 1; rest != 0; rest = (rest - 1) / letters)
    name.insert(name.begin(), static_cast<char>('a' + (rest - 1) % letters));
  return "sd" + name;
}

std::uint64_t number_of(std::string_view words) {
  // FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : words) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211ULL;
  }
  return hash;
}

std::string mac_of(std::string_view words) {
  const auto number = number_of(words);
  std::string mac = "02";
  for (unsigned byte = 0; byte < 5; ++byte)
    mac += fmt::format(":{:02x}", (number >> (8U * byte)) & 0xffU);
  return mac;
}

Described::Described(schema::Lab::Reader whole, schema::Lab::Host::Reader machine, Instant time)
    : lab(whole), host(machine), began(time) {
  const auto here = [&](auto part) { return lab::host_of(part, lab) == view(host.getName()); };
  for (const auto pool : lab.getPools())
    if (here(pool)) pools.push_back(pool);
  for (const auto guest : lab.getGuests())
    if (here(guest) && !guest.getPlanned()) guests.push_back(guest);
  std::ranges::sort(guests, {}, [](auto guest) { return guest.getVmid(); });
  take_disks();
  take_datasets();
}

/// In the order in which a kernel finds them: the system's first, external ones last.
void Described::take_disks() {
  std::vector<schema::Lab::Disk::Reader> all;
  for (const auto disk : lab.getDisks())
    if (lab::host_of(disk, lab) == view(host.getName())) all.push_back(disk);
  std::ranges::stable_sort(all, {}, [](auto disk) { return rank(disk.getRole()); });
  for (const auto disk : all) {
    const auto model = disk.getModel().size() == 0 ? std::string("Disk") : str(disk.getModel());
    DescribedDisk described{
        .disk = disk,
        .name = disk_name(disks.size()),
        .by_id = fmt::format("{}-{}_{}",
                             disk.getRole() == schema::Lab::Disk::Role::BACKUP ? "usb" : "ata",
                             underscored(model), str(disk.getSerial())),
        .size = disk.getSize() / sector * sector};
    if (described.external()) described.by_id += "-0:0";
    for (const auto& pool : pools)
      if (any_in(pool.getDisks(), [&](auto name) { return view(name) == view(disk.getName()); }))
        described.pool = &pool;
    disks.push_back(std::move(described));
  }
}

std::vector<const DescribedDisk*> Described::disks_of(std::string_view pool) const {
  std::vector<const DescribedDisk*> found;
  for (const auto& disk : disks)
    if (disk.pool != nullptr && view(disk.pool->getName()) == pool) found.push_back(&disk);
  return found;
}

std::uint64_t Described::capacity_of(const Pool& pool) const {
  using Layout = schema::Lab::Pool::Layout;
  const auto members = disks_of(view(pool.getName()));
  if (members.empty()) return 0;
  std::uint64_t least = members.front()->size;
  for (const auto* disk : members) least = std::min(least, disk->size);
  const auto count = members.size();
  std::uint64_t parity = 0;
  if (pool.getLayout() == Layout::RAIDZ1) parity = 1;
  if (pool.getLayout() == Layout::RAIDZ2) parity = 2;
  if (pool.getLayout() == Layout::RAIDZ3) parity = 3;
  if (pool.getLayout() == Layout::MIRROR || count <= parity) return least;
  return least * (count - parity);
}

const Pool* Described::pool_of_system() const {
  const auto found = std::find_if(pools.begin(), pools.end(), [&](const auto& pool) {
    const auto members = disks_of(view(pool.getName()));
    return std::ranges::any_of(members, [](const auto* disk) { return disk->of_system(); });
  });
  return found == pools.end() ? nullptr : &*found;
}

schema::Lab::Vlan::Reader Described::vlan(std::string_view name) const {
  for (const auto vlan : lab.getNetwork().getVlans())
    if (view(vlan.getName()) == name) return vlan;
  return {};
}

unsigned Described::prefix(schema::Lab::Vlan::Reader vlan) {
  constexpr unsigned usual = 24;
  const auto subnet = view(vlan.getSubnet());
  const auto slash = subnet.find('/');
  if (slash == std::string_view::npos) return usual;
  const auto number = parse_number<unsigned>(subnet.substr(slash + 1));
  return number ? *number : usual;
}

std::string Described::cable(Guest guest) {
  return fmt::format("{}{}i0", is_container(guest) ? "veth" : "tap", guest.getVmid());
}

bool Described::is_container(Guest guest) {
  return guest.getType() == schema::Lab::Guest::Type::LXC;
}

std::string Described::title(Guest guest) {
  return fmt::format("{} {} ({})", is_container(guest) ? "container" : "VM", guest.getVmid(),
                     str(guest.getName()));
}

std::string Described::root_of(Guest guest) const {
  const auto* system = pool_of_system();
  if (system == nullptr || !is_container(guest)) return {};
  return fmt::format("/{}/data/subvol-{}-disk-0", str(system->getName()), guest.getVmid());
}

std::string Described::on_host(Guest guest, const std::string& path) const {
  for (const auto mount : guest.getMounts()) {
    const auto target = str(mount.getTarget());
    if (path == target || path.starts_with(target + "/"))
      return str(mount.getSource()) + path.substr(target.size());
  }
  const auto root = root_of(guest);
  return root.empty() ? root : root + path;
}

void Described::take_datasets() {
  take_system();
  for (const auto& pool : pools)
    if (&pool != pool_of_system()) take_data(pool);
}

/// As the Proxmox installer lays it out: https://pve.proxmox.com/wiki/ZFS_on_Linux
void Described::take_system() {
  const auto* system = pool_of_system();
  if (system == nullptr) return;
  const auto name = str(system->getName());
  datasets.push_back({.name = name, .mountpoint = "/" + name});
  datasets.push_back({.name = name + "/ROOT", .mountpoint = "/" + name + "/ROOT"});
  datasets.push_back({.name = name + "/ROOT/pve-1", .mountpoint = "/", .used = usual_system});
  datasets.push_back({.name = name + "/data", .mountpoint = "/" + name + "/data"});
  for (const auto guest : guests) {
    if (!is_container(guest)) continue;
    const auto root = root_of(guest);
    datasets.push_back({.name = root.substr(1),
                        .mountpoint = root,
                        .used = std::min(usual_root, guest.getDisk() / 2),
                        .refquota = guest.getDisk()});
  }
}

/// A dataset for each folder of the pool that a guest has, and what fills it all.
void Described::take_data(const Pool& pool) {
  const auto name = str(pool.getName());
  std::set<std::string> folders;
  for (const auto guest : lab.getGuests())
    for (const auto mount : guest.getMounts())
      if (const auto source = str(mount.getSource()); source.starts_with("/" + name + "/"))
        folders.insert(source.substr(1));
  const auto filled = capacity_of(pool) / 100 * usual_fill_percent;
  datasets.push_back({.name = name,
                      .mountpoint = "/" + name,
                      .used = folders.empty() ? filled : std::uint64_t{1} << 20U});
  for (const auto& folder : folders)
    datasets.push_back(
        {.name = folder, .mountpoint = "/" + folder, .used = filled / folders.size()});
  assumptions.push_back(
      fmt::format("{} is {} % full, and was never scrubbed", name, usual_fill_percent));
}

}  // namespace relab::rehearsal
