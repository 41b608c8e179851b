#pragma once

/// The reference lab's machine before its rebuild: two SSDs with rpool, four disks with an
/// encrypted datapool, and a blank USB disk that nobody has plugged in yet.

#include <fmt/format.h>
#include <string>

#include "agent/host/sim/debian/file_tools.h"
#include "agent/host/sim/storage/storage.h"
#include "common/wire/message.h"
#include "schema/world.capnp.h"
#include "tests/support/must.h"

namespace relab::agent::sim {

/// What is on the USB disk.
enum class Usb { blank, pool };

class Z640 {
 public:
  static constexpr std::uint64_t tera = 1'000'000'000'000;

  static Message<schema::World> world(const std::string& version = "2.3.9-0+deb13u1",
                                      Usb usb = Usb::blank) {
    Draft<schema::World> world;
    world->setHost("z640");
    add_disks(world->initDisks(), usb);
    add_zfs(world->initZfs(), version);
    world->initUnplugged(1).set(0, "NAAB0001");
    return std::move(world).finish();
  }

 private:
  using Disks = schema::AuditDisks::Facts::Builder;
  using Zfs = schema::AuditZfs::Facts::Builder;
  using Dataset = schema::AuditZfs::Dataset::Builder;

  // NOLINTNEXTLINE(readability-function-size): what seven disks are, one after the other
  static void add_disks(Disks facts, Usb content) {
    auto disks = facts.initDisks(7);
    auto partitions = facts.initPartitions(content == Usb::pool ? 15 : 14);
    auto smart = facts.initSmart(7);
    auto users = facts.initUsers(8);
    unsigned parts = 0;
    for (unsigned i = 0; i < 7; ++i) {
      const auto name = fmt::format("sd{}", static_cast<char>('a' + i));
      const bool os = i < 2;
      const bool usb = i == 6;
      auto disk = disks[i];
      disk.setName(name);
      const auto serial = os    ? fmt::format("S2RANX0H50000{}", i == 0 ? "1A" : "2B")
                          : usb ? std::string("NAAB0001")
                                : fmt::format("ZDH1A00{}", i - 1);
      disk.setSerial(serial);
      disk.setModel(os    ? "Samsung SSD 850 EVO 500GB"
                    : usb ? "Expansion HDD"
                          : "ST2000DM008-2FR102");
      disk.setVendor(usb ? "Seagate" : "ATA");
      disk.setSize(os ? 500'107'862'016 : usb ? 8'001'563'222'016 : 2'000'398'934'016);
      disk.setBus(usb ? "usb" : "sata");
      disk.setUsb(usb);
      disk.setRotational(!os);
      disk.setLogicalSector(512);
      disk.setPhysicalSector(os ? 512 : 4096);
      const auto id = fmt::format("{}_{}", usb ? "usb-Seagate_Expansion_HDD" : "ata-DISK", serial);
      disk.initAliases(1).set(0, id);
      disk.setById(id);
      auto row = smart[i];
      row.setDisk(name);
      row.setHealth(schema::AuditDisks::Health::PASSED);
      row.setSerial(serial);
      row.setPowerOnHours(12000 + i);
      row.setReallocated(0);
      row.setTemperature(31);
      if (usb && content == Usb::blank) continue;
      disk.setPartitionTable("gpt");
      if (usb) {
        auto part = partitions[parts++];
        part.setDisk(name);
        part.setName("sdg1");
        part.setSize(8'000'000'000'000);
        part.setFileSystem("zfs_member");
        part.setLabel("usbpool");
        part.setUuid("8001");
      } else {
        add_partitions(name, os, partitions, parts);
      }
    }
    const char* const used[] = {"sda3", "sdb3", "sdc1", "sdd1", "sde1", "sdf1"};
    for (unsigned i = 0; i < 6; ++i) {
      users[i == 0 ? 1 : i == 1 ? 3 : i + 2].setDisk(std::string(used[i], 3));
      users[i == 0 ? 1 : i == 1 ? 3 : i + 2].setDevice(used[i]);
      users[i == 0 ? 1 : i == 1 ? 3 : i + 2].setKind("zfs");
      users[i == 0 ? 1 : i == 1 ? 3 : i + 2].setName(i < 2 ? "rpool" : "datapool");
    }
    for (const auto& [at, disk] : {std::pair(0U, "sda"), std::pair(2U, "sdb")}) {
      users[at].setDisk(disk);
      users[at].setDevice(disk + std::string("2"));
      users[at].setKind("filesystem");
      users[at].setName("vfat");
    }
    const char* const mounts[][2] = {{"/", "rpool/ROOT/pve-1"},
                                     {"/rpool", "rpool"},
                                     {"/datapool", "datapool"},
                                     {"/datapool/documents", "datapool/documents"},
                                     {"/datapool/media", "datapool/media"}};
    auto list = facts.initMounts(5);
    for (unsigned i = 0; i < 5; ++i) {
      list[i].setPoint(mounts[i][0]);
      list[i].setSource(mounts[i][1]);
      list[i].setType("zfs");
    }
  }

  static void add_partitions(const std::string& disk, bool os,
                             capnp::List<schema::AuditDisks::Partition>::Builder list,
                             unsigned& parts) {
    const auto add = [&](int number, std::uint64_t size, const char* type, const char* content,
                         const char* label) {
      auto part = list[parts++];
      part.setDisk(disk);
      part.setName(fmt::format("{}{}", disk, number));
      part.setStart(std::uint64_t{2048} * static_cast<unsigned>(number));
      part.setSize(size);
      part.setTypeName(type);
      part.setFileSystem(content);
      part.setLabel(label);
      part.setPartUuid(fmt::format("{}-{}", disk, number));
    };
    if (os) {
      add(1, 1'031'168, "BIOS boot", "", "");
      add(2, 1'073'741'824, "EFI System", "vfat", "");
      add(3, 499'000'000'000, "Solaris /usr & Apple ZFS", "zfs_member", "rpool");
    } else {
      add(1, 2'000'000'000'000, "Solaris /usr & Apple ZFS", "zfs_member", "datapool");
      add(9, 8'388'608, "Solaris reserved 1", "", "");
    }
  }

  static void add_zfs(Zfs facts, const std::string& version) {
    facts.setToolVersion(version);
    facts.setModuleVersion(version);
    auto pools = facts.initPools(2);
    add_pool(pools[0], "datapool", 7001, 7'988'639'170'560, 3'600'000'000'000);
    add_pool(pools[1], "rpool", 7002, 498'216'206'336, 60'000'000'000);
    add_vdevs(facts.initVdevs(10), version.starts_with("2.1"));
    auto scan = facts.initScans(1)[0];
    scan.setPool("datapool");
    scan.setFunction("scrub");
    scan.setState("finished");
    scan.setStartedAt(1'780'000'000'000);
    scan.setEndedAt(1'780'009'000'000);
    if (version.starts_with("2.1"))
      scan.setWords("scrub repaired 0B in 02:30:00 with 0 errors on Thu May 28 22:56:40 2026");
    auto features = facts.initFeatures(1);
    features[0].setPool("datapool");
    features[0].setState("active");
    features[0].initNames(1).set(0, "encryption");
    auto datasets = facts.initDatasets(7);
    add_dataset(datasets[0], "datapool", 101, 1'820'000'000'000, 200'000);
    add_dataset(datasets[1], "datapool/documents", 102, 100'000'000'000, 99'000'000'000);
    add_dataset(datasets[2], "datapool/media", 103, 1'700'000'000'000, 1'700'000'000'000);
    add_dataset(datasets[3], "datapool/vm-100-disk-0", 104, 20'000'000'000, 20'000'000'000);
    make_volume(datasets[3]);
    add_dataset(datasets[4], "rpool", 201, 30'000'000'000, 100'000);
    add_dataset(datasets[5], "rpool/ROOT", 202, 29'000'000'000, 100'000);
    add_dataset(datasets[6], "rpool/ROOT/pve-1", 203, 29'000'000'000, 29'000'000'000);
    add_snapshots(datasets[1]);
    datasets[5].setMountpoint("/rpool/ROOT");
    datasets[5].setCanmount("off");
    datasets[5].setMounted(false);
    datasets[6].setMountpoint("/");
  }

  static void add_pool(schema::AuditZfs::Pool::Builder pool, const char* name, std::uint64_t guid,
                       std::uint64_t size, std::uint64_t allocated) {
    pool.setName(name);
    pool.setGuid(guid);
    pool.setHealth("ONLINE");
    pool.setState("ONLINE");
    pool.setErrorsKnown(true);
    pool.setSize(size);
    pool.setAllocated(allocated);
    pool.setFree(size - allocated);
    pool.setCapacity(static_cast<std::uint8_t>(allocated * 100 / size));
    pool.setFragmentation(3);
    pool.setDedupRatio("1.00");
    pool.setAshift(12);
    pool.setAutotrim("off");
    pool.setAutoexpand("off");
    pool.setAutoreplace("off");
    pool.setFailmode("wait");
    pool.setMultihost("off");
    pool.setCompatibility("off");
  }

  static void add_vdevs(capnp::List<schema::AuditZfs::Vdev>::Builder list, bool by_path) {
    unsigned count = 0;
    const auto add = [&](const char* pool, int parent, const std::string& name, const char* kind) {
      auto vdev = list[count];
      vdev.setPool(pool);
      vdev.setParent(parent);
      vdev.setDepth(parent < 0 ? 0
                               : static_cast<std::uint8_t>(
                                     list[static_cast<unsigned>(parent)].getDepth() + 1));
      vdev.setName(name);
      vdev.setKind(kind);
      vdev.setRole("data");
      vdev.setState("ONLINE");
      // The text of 2.1 has no GUID for the pool itself.
      if (parent >= 0 || !by_path)
        vdev.setGuid(parent < 0 ? (count == 0 ? 7001 : 7002) : 9000 + count);
      return static_cast<int>(count++);
    };
    const auto leaf = [&](const char* pool, int parent, const char* device, const std::string& id,
                          const std::string& serial) {
      const auto path = "/dev/disk/by-id/" + id;
      const auto at = add(pool, parent, by_path ? path : id.substr(0, id.rfind("-part")), "disk");
      auto vdev = list[static_cast<unsigned>(at)];
      vdev.setPath(path);
      vdev.setDevice(device);
      vdev.setSerial(serial);
    };
    const auto data = add("datapool", -1, "datapool", "root");
    const auto raidz = add("datapool", data, "raidz2-0", "raidz2");
    for (int i = 1; i <= 4; ++i) {
      const auto device = fmt::format("sd{}1", static_cast<char>('b' + i));
      leaf("datapool", raidz, device.c_str(), fmt::format("ata-DISK_ZDH1A00{}-part1", i),
           fmt::format("ZDH1A00{}", i));
    }
    const auto root = add("rpool", -1, "rpool", "root");
    const auto mirror = add("rpool", root, "mirror-0", "mirror");
    leaf("rpool", mirror, "sda3", "ata-DISK_S2RANX0H500001A-part3", "S2RANX0H500001A");
    leaf("rpool", mirror, "sdb3", "ata-DISK_S2RANX0H500002B-part3", "S2RANX0H500002B");
  }

  static void add_dataset(Dataset dataset, const std::string& name, std::uint64_t guid,
                          std::uint64_t used, std::uint64_t referenced) {
    const bool encrypted = name.starts_with("datapool");
    dataset.setName(name);
    dataset.setKind("filesystem");
    dataset.setGuid(guid);
    dataset.setCreatedAt(1'700'000'000'000 + guid * 1000);
    dataset.setUsed(used);
    dataset.setAvailable(encrypted ? 2'040'000'000'000 : 440'000'000'000);
    dataset.setReferenced(referenced);
    dataset.setLogicalUsed(used);
    dataset.setMountpoint("/" + name);
    dataset.setCanmount("on");
    dataset.setMounted(true);
    dataset.setEncryption(encrypted ? "aes-256-gcm" : "off");
    if (encrypted) {
      dataset.setEncryptionRoot("datapool");
      dataset.setKeyStatus("available");
      dataset.setKeyLocation(name == "datapool" ? "prompt" : "none");
    } else {
      dataset.setKeyLocation("none");
    }
    dataset.setKeyFormat(encrypted ? "passphrase" : "none");
    dataset.setCompression("lz4");
    dataset.setCompressRatio("1.00");
    dataset.setRecordSize(131072);
    dataset.setAclType("posix");
    dataset.setXattr("sa");
    dataset.setCopies(1);
  }

  static void make_volume(Dataset dataset) {
    dataset.setKind("volume");
    dataset.setMountpoint("");
    dataset.setCanmount("");
    dataset.setMounted(false);
    dataset.setRecordSize(0);
    dataset.setAclType("");
    dataset.setXattr("");
    dataset.setVolumeSize(32'000'000'000);
  }

  static void add_snapshots(Dataset dataset) {
    dataset.setUsedBySnapshots(1'000'000'000);
    dataset.setSnapshots(3);
    dataset.setHeldSnapshots(1);
    dataset.setOldestSnapshot("daily-1");
    dataset.setOldestAt(1'781'000'000'000);
    dataset.setNewestSnapshot("daily-3");
    dataset.setNewestAt(1'781'200'000'000);
  }
};

/// That machine, running.
struct Z640Machine {
  explicit Z640Machine(const std::string& version = "2.3.9-0+deb13u1", Usb usb = Usb::blank)
      : world(Z640::world(version, usb)), tools(host), storage(host, world.reader()) {
    host.at(instant_of(1'790'000'000'000));
    host.strict({});
    host.file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    host.secret("datapool-key", "correct horse battery");
    host.file("/datapool/documents/letter.txt", "dear");
    host.file("/datapool/media/film.mkv", std::string(200'000, 'm'));
  }

  Message<schema::World> world;
  SimHost host;
  FileTools tools;
  Storage storage;
};

}  // namespace relab::agent::sim
