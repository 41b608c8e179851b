#include <algorithm>
#include <capnp/orphan.h>
#include <fmt/format.h>
#include <set>

#include "common/wire/message.h"
#include "controller/rehearsal/world/described.h"
#include "controller/rehearsal/world/layout.h"

namespace relab::rehearsal {

namespace {

using Pool = schema::Lab::Pool::Reader;
using Disks = schema::AuditDisks;
using Zfs = schema::AuditZfs;

constexpr auto tool_version = "2.2.7-pve2";
constexpr std::uint64_t sector = 512;
constexpr std::uint64_t mib = std::uint64_t{1} << 20U;
constexpr std::uint64_t record_size = std::uint64_t{128} << 10U;
constexpr auto age = std::chrono::hours(24 * 400);

/// A partition as a program lays it out.
struct Part {
  unsigned number;
  std::uint64_t start;
  std::uint64_t size;
  std::string type;
  std::string file_system = {};
  std::string label = {};
  std::string uuid = {};
  std::string part_label = {};
};

std::string name_of_pool(const DescribedDisk& disk) { return str(disk.pool->getName()); }

std::string uuid_of(std::string_view words) {
  const auto first = number_of(words);
  const auto second = number_of(std::string(words) + "!");
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", first & 0xffffffffU,
                     (first >> 32U) & 0xffffU, (first >> 48U) & 0xffffU, second & 0xffffU,
                     (second >> 16U) & 0xffffffffffffU);
}

/// A pool's own number, as `zpool get guid` tells it, and as blkid tells it of its members.
std::uint64_t guid_of(std::string_view words) { return number_of(words) >> 1U; }

/// By the Proxmox installer on the system's disks; by `zpool create` on whole ones.
std::vector<Part> parts_of(const DescribedDisk& disk) {
  if (disk.pool == nullptr) return {};
  const auto pool = name_of_pool(disk);
  const auto member = std::to_string(guid_of("pool " + pool));
  const auto end = disk.size - mib;
  if (disk.of_system()) {
    const auto third = std::uint64_t{1} << 30U;
    return {
        {1, 34, 2014 * sector, "BIOS boot"},
        {2, 2048, third - mib, "EFI System", "vfat", "",
         fmt::format("{:04X}-{:04X}", number_of(disk.name) & 0xffffU,
                     number_of(disk.by_id) & 0xffffU)},
        {3, third / sector, end - third, "Solaris /usr & Apple ZFS", "zfs_member", pool, member}};
  }
  const auto reserved = 8 * mib;
  return {{1, 2048, end - reserved - mib, "Solaris /usr & Apple ZFS", "zfs_member", pool, member,
           fmt::format("zfs-{:016x}", number_of(disk.by_id))},
          {9, (end - reserved) / sector, reserved, "Solaris reserved 1"}};
}

/// The part of the disk that the pool has.
unsigned member_part(const DescribedDisk& disk) { return disk.of_system() ? 3 : 1; }

void write_disk(const DescribedDisk& described, Disks::Disk::Builder disk) {
  const bool external = described.external();
  disk.setName(described.name);
  disk.setById(described.by_id);
  disk.setModel(described.disk.getModel());
  disk.setSerial(described.disk.getSerial());
  disk.setVendor(external ? "Generic" : "ATA");
  disk.setFirmware("0001");
  disk.setSize(described.size);
  disk.setBus(external ? "usb" : "sata");
  disk.setUsb(external);
  disk.setRotational(!described.of_system());
  disk.setLogicalSector(512);
  disk.setPhysicalSector(described.of_system() ? 512 : 4096);
  if (!external) {
    disk.setWwn(fmt::format("0x5000{:012x}", number_of(described.by_id) & 0xffffffffffffU));
    disk.setPartitionTable(described.pool == nullptr ? "" : "gpt");
  }
  const bool wwn = !external;
  auto aliases = disk.initAliases(wwn ? 2 : 1);
  aliases.set(0, described.by_id);
  if (wwn) aliases.set(1, "wwn-" + str(disk.asReader().getWwn()));
}

void write_partitions(const Described& described, Disks::Facts::Builder facts) {
  std::vector<std::pair<const DescribedDisk*, Part>> all;
  for (const auto& disk : described.disks)
    for (auto& part : parts_of(disk)) all.emplace_back(&disk, std::move(part));
  auto list = facts.initPartitions(static_cast<unsigned>(all.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    const auto& [disk, part] = all[i];
    const auto name = disk->name + std::to_string(part.number);
    list[i].setDisk(disk->name);
    list[i].setName(name);
    list[i].setStart(part.start);
    list[i].setSize(part.size);
    list[i].setTypeName(part.type);
    list[i].setFileSystem(part.file_system);
    list[i].setLabel(part.label);
    list[i].setUuid(part.uuid);
    list[i].setPartLabel(part.part_label);
    list[i].setPartUuid(uuid_of(disk->by_id + name));
  }
}

void write_users(const Described& described, Disks::Facts::Builder facts) {
  struct Row {
    std::string disk;
    std::string device;
    std::string kind;
    std::string name;
  };
  std::vector<Row> rows;
  for (const auto& disk : described.disks) {
    for (const auto& part : parts_of(disk)) {
      const auto device = disk.name + std::to_string(part.number);
      if (part.file_system == "zfs_member") rows.push_back({disk.name, device, "zfs", part.label});
      if (part.file_system == "vfat") rows.push_back({disk.name, device, "filesystem", "vfat"});
    }
  }
  auto list = facts.initUsers(static_cast<unsigned>(rows.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    list[i].setDisk(rows[i].disk);
    list[i].setDevice(rows[i].device);
    list[i].setKind(rows[i].kind);
    list[i].setName(rows[i].name);
  }
}

void write_health(const Described& described, Disks::Facts::Builder facts) {
  auto list = facts.initSmart(static_cast<unsigned>(described.disks.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    list[i].setDisk(described.disks[i].name);
    list[i].setHealth(Disks::Health::PASSED);
    list[i].setSerial(described.disks[i].disk.getSerial());
    list[i].setPowerOnHours(20000);
    list[i].setTemperature(34);
    list[i].setReallocated(0);
    list[i].setPending(0);
    list[i].setUncorrectable(0);
    list[i].setCrcErrors(0);
    list[i].setErrorsLogged(0);
    list[i].setSelfTestErrors(0);
  }
}

void write_mounts(const Described& described, Disks::Facts::Builder facts) {
  std::vector<const DescribedDataset*> mounted;
  for (const auto& dataset : described.datasets)
    if (dataset.mounted) mounted.push_back(&dataset);
  std::ranges::stable_sort(mounted, {}, &DescribedDataset::mountpoint);
  auto list = facts.initMounts(static_cast<unsigned>(mounted.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    list[i].setPoint(mounted[i]->mountpoint);
    list[i].setType("zfs");
    list[i].setSource(mounted[i]->name);
  }
}

void write_disks(const Described& described, Disks::Facts::Builder facts) {
  auto list = facts.initDisks(static_cast<unsigned>(described.disks.size()));
  for (unsigned i = 0; i < list.size(); ++i) write_disk(described.disks[i], list[i]);
  write_partitions(described, facts);
  write_users(described, facts);
  write_health(described, facts);
  write_mounts(described, facts);
}

/// What all datasets of a pool hold together.
std::uint64_t used_below(const Described& described, std::string_view name) {
  std::uint64_t sum = 0;
  for (const auto& dataset : described.datasets)
    if (dataset.name == name || dataset.name.starts_with(std::string(name) + "/"))
      sum += dataset.used;
  return sum;
}

bool is_raidz(const Pool& pool) {
  using Layout = schema::Lab::Pool::Layout;
  return pool.getLayout() == Layout::RAIDZ1 || pool.getLayout() == Layout::RAIDZ2 ||
         pool.getLayout() == Layout::RAIDZ3;
}

/// Room of a pool counts parity as well where it is RAIDZ.
std::uint64_t raw(const Described& described, const Pool& pool, std::uint64_t bytes) {
  const auto capacity = described.capacity_of(pool);
  const auto members = described.disks_of(view(pool.getName()));
  if (!is_raidz(pool) || capacity == 0) return bytes;
  return static_cast<std::uint64_t>(static_cast<double>(bytes) *
                                    static_cast<double>(members.front()->size * members.size()) /
                                    static_cast<double>(capacity));
}

void write_pool(const Described& described, const Pool& lab, Zfs::Pool::Builder pool) {
  const auto name = str(lab.getName());
  const auto size = raw(described, lab, described.capacity_of(lab));
  const auto allocated = raw(described, lab, used_below(described, name));
  pool.setName(name);
  pool.setGuid(guid_of("pool " + name));
  pool.setHealth("ONLINE");
  pool.setState("ONLINE");
  pool.setErrorsKnown(true);
  pool.setSize(size);
  pool.setAllocated(allocated);
  pool.setFree(size - allocated);
  pool.setCapacity(static_cast<std::uint8_t>(size == 0 ? 0 : allocated * 100 / size));
  pool.setFragmentation(3);
  pool.setDedupRatio("1.00");
  pool.setAshift(12);
  pool.setAutotrim("off");
  pool.setAutoexpand("off");
  pool.setAutoreplace("off");
  pool.setFailmode("wait");
  pool.setMultihost("off");
  pool.setCompatibility("off");
  if (described.pool_of_system() != nullptr &&
      view(described.pool_of_system()->getName()) == view(lab.getName()))
    pool.setBootfs(name + "/ROOT/pve-1");
}

struct VdevRow {
  std::string pool;
  std::uint8_t depth;
  int parent;
  std::string name;
  std::string kind;
  const DescribedDisk* disk = nullptr;
};

std::vector<VdevRow> vdevs_of(const Described& described) {
  std::vector<VdevRow> rows;
  const auto here = [&] { return static_cast<int>(rows.size()) - 1; };
  for (const auto& pool : described.pools) {
    const auto name = str(pool.getName());
    rows.push_back({name, 0, -1, name, "root"});
    auto above = here();
    std::uint8_t depth = 1;
    if (const std::string kind(layout_name(pool.getLayout())); !kind.empty()) {
      rows.push_back({name, depth++, above, kind + "-0", kind});
      above = here();
    }
    for (const auto* disk : described.disks_of(name))
      rows.push_back({name, depth, above, "", "disk", disk});
  }
  return rows;
}

void write_vdevs(const Described& described, Zfs::Facts::Builder facts) {
  const auto rows = vdevs_of(described);
  auto list = facts.initVdevs(static_cast<unsigned>(rows.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    const auto& row = rows[i];
    auto vdev = list[i];
    vdev.setPool(row.pool);
    vdev.setDepth(row.depth);
    vdev.setParent(row.parent);
    vdev.setName(row.name);
    vdev.setKind(row.kind);
    vdev.setRole("data");
    vdev.setState("ONLINE");
    if (row.depth != 0) vdev.setGuid(guid_of(fmt::format("vdev {} {} {}", row.pool, row.name, i)));
    if (row.disk == nullptr) continue;
    const auto part = member_part(*row.disk);
    const auto path = fmt::format("/dev/disk/by-id/{}-part{}", row.disk->by_id, part);
    vdev.setName(path);
    vdev.setPath(path);
    vdev.setDevice(row.disk->name + std::to_string(part));
    vdev.setSerial(row.disk->disk.getSerial());
  }
}

const Pool* pool_with(const Described& described, std::string_view dataset) {
  const auto name = dataset.substr(0, dataset.find('/'));
  for (const auto& pool : described.pools)
    if (view(pool.getName()) == name) return &pool;
  return nullptr;
}

void write_encryption(const Pool& pool, bool is_root, Zfs::Dataset::Builder dataset) {
  using Format = schema::Lab::Pool::KeyFormat;
  dataset.setEncryption(pool.getEncrypted() ? "aes-256-gcm" : "off");
  if (!pool.getEncrypted()) return;
  dataset.setEncryptionRoot(pool.getName());
  dataset.setKeyStatus("available");
  dataset.setKeyFormat(pool.getKeyFormat() == Format::HEX   ? "hex"
                       : pool.getKeyFormat() == Format::RAW ? "raw"
                                                            : "passphrase");
  dataset.setKeyLocation(is_root ? "prompt" : "none");
}

void write_dataset(const Described& described, const DescribedDataset& row,
                   Zfs::Dataset::Builder dataset) {
  const auto* pool = pool_with(described, row.name);
  const auto used = used_below(described, row.name);
  const auto pool_used = used_below(described, view(pool->getName()));
  const auto capacity = described.capacity_of(*pool);
  auto available = capacity > pool_used ? capacity - pool_used : 0;
  if (row.refquota != 0) available = std::min(available, row.refquota - row.used);
  dataset.setName(row.name);
  dataset.setKind("filesystem");
  dataset.setGuid(guid_of("dataset " + row.name));
  dataset.setCreatedAt(unix_millis(described.began - age) / 1000 * 1000);
  dataset.setUsed(used);
  dataset.setAvailable(available);
  dataset.setReferenced(row.used);
  dataset.setLogicalUsed(used);
  dataset.setMountpoint(row.mountpoint);
  dataset.setCanmount(row.mountpoint == "/" ? "noauto" : "on");
  dataset.setMounted(row.mounted);
  dataset.setRefquota(row.refquota);
  dataset.setCompression("lz4");
  dataset.setCompressRatio("1.00");
  dataset.setRecordSize(record_size);
  dataset.setAclType("off");
  dataset.setXattr("on");
  dataset.setCopies(1);
  write_encryption(*pool, row.name == view(pool->getName()), dataset);
}

void write_zfs(const Described& described, Zfs::Facts::Builder facts) {
  if (described.pools.empty()) {
    facts.initCoverage().setAbsent("no ZFS pool is described");
    return;
  }
  facts.setToolVersion(tool_version);
  facts.setModuleVersion(tool_version);
  auto pools = facts.initPools(static_cast<unsigned>(described.pools.size()));
  for (unsigned i = 0; i < pools.size(); ++i) write_pool(described, described.pools[i], pools[i]);
  write_vdevs(described, facts);
  auto datasets = facts.initDatasets(static_cast<unsigned>(described.datasets.size()));
  for (unsigned i = 0; i < datasets.size(); ++i)
    write_dataset(described, described.datasets[i], datasets[i]);
}

void write_unplugged(const std::vector<const DescribedDisk*>& disks, schema::World::Builder world) {
  auto unplugged = world.initUnplugged(static_cast<unsigned>(disks.size()));
  for (unsigned i = 0; i < unplugged.size(); ++i) unplugged.set(i, disks[i]->disk.getSerial());
}

}  // namespace

void describe_storage(const Described& described, schema::World::Builder world) {
  write_disks(described, world.initDisks());
  write_zfs(described, world.initZfs());
  std::vector<const DescribedDisk*> apart;
  for (const auto& disk : described.disks)
    if (disk.external()) apart.push_back(&disk);
  write_unplugged(apart, world);
}

std::vector<std::string> add_unplugged(const Described& described, schema::World::Builder world) {
  const auto known = world.asReader().getDisks().getDisks();
  std::set<std::string> serials;
  std::set<std::string> names;
  for (const auto disk : known) {
    serials.insert(str(disk.getSerial()));
    names.insert(str(disk.getName()));
  }
  std::vector<const DescribedDisk*> apart;
  for (const auto& disk : described.disks)
    if (disk.external() && !serials.contains(str(disk.disk.getSerial()))) apart.push_back(&disk);
  const auto count = static_cast<unsigned>(known.size() + apart.size());
  auto grown =
      capnp::Orphanage::getForMessageContaining(world).newOrphan<capnp::List<Disks::Disk>>(count);
  auto disks = grown.get();
  for (unsigned i = 0; i < known.size(); ++i) disks.setWithCaveats(i, known[i]);
  std::size_t next = 0;
  std::vector<std::string> assumptions;
  for (unsigned i = 0; i < apart.size(); ++i) {
    auto disk = *apart[i];
    while (!names.insert(disk_name(next)).second) ++next;
    disk.name = disk_name(next);
    write_disk(disk, disks[known.size() + i]);
    assumptions.push_back(fmt::format(
        "the disk {} ({}), which the audit has not seen, is empty, and is plugged in once a step "
        "asks for it",
        view(disk.disk.getName()), view(disk.disk.getSerial())));
  }
  world.getDisks().adoptDisks(kj::mv(grown));
  write_unplugged(apart, world);
  return assumptions;
}

}  // namespace relab::rehearsal
