#include "agent/kinds/disks/audit.h"

#include <algorithm>

#include "agent/kinds/disks/inventory.h"
#include "tests/support/must.h"
#include "tests/support/sim_guest.h"
#include "tests/support/transcript.h"

namespace relab::agent::disks {

namespace {

using Facts = schema::AuditDisks::Facts;
using Texts = std::vector<std::string>;

Output report(const std::string& name, int status) {
  return {.status = status, .out = data_file("disks/smart-" + name + ".json")};
}

/// A server with SSD, hard disk, USB disk, NVMe below LVM, an empty card reader, a broken disk.
struct Server {
  Server() {
    host.directory("/run/udev/data");
    mount(host, {"/"});
    host.program("lsblk", Output{.out = data_file("disks/lsblk-server.json")});
    for (const auto& [name, place] : places) {
      const auto real = "/sys/devices/" + place + "/block/" + name;
      host.directory(real);
      host.link("/sys/block/" + name, "../devices/" + place + "/block/" + name);
    }
    host.link("/dev/disk/by-id/wwn-0x5000c500a0000001", "../../sdc");
    host.link("/dev/disk/by-id/ata-ST4000VN008-2DR166_ZDH0AAA1", "../../sdc");
    host.link("/dev/disk/by-id/ata-ST4000VN008-2DR166_ZDH0AAA1-part1", "../../sdc1");
    host.answer("smartctl --json=c -a /dev/sda", report("ssd-failing", 24));
    host.answer("smartctl --json=c -a /dev/sdc", report("hdd", 192));
    host.answer("smartctl --json=c -a /dev/sde", report("usb-bridge", 1));
    host.answer("smartctl --json=c -a -d sat /dev/sde", report("hdd", 0));
    host.answer("smartctl --json=c -a /dev/nvme0n1", report("nvme", 0));
    host.answer("smartctl --json=c -a /dev/nvme1n1", report("none", 0));
  }
  Message<Facts> observe() {
    static const auto params = must(Message<schema::AuditDisks>::from_json("{}"));
    return must(AuditDisks::observe(params.reader(), host));
  }

  std::vector<std::pair<std::string, std::string>> places = {
      {"sda", "pci0000:00/ata1/host0/target0:0:0"},
      {"sdc", "pci0000:00/ata3/host2/target2:0:0"},
      {"sde", "pci0000:00/usb2/2-1/host5"},
      {"sdf", "pci0000:00/usb2/2-2/host6"},
      {"sdg", "pci0000:00/ata4/host3"},
      {"sr0", "pci0000:00/ata5/host4"},
      {"nvme0n1", "virtual/nvme-subsystem/nvme-subsys0"},
      {"nvme1n1", "pci0000:00/nvme/nvme1"},
      {"zd0", "virtual"},
      {"zram0", "virtual"},
      {"loop0", "virtual"},
      {"dm-0", "virtual"}};
  SimHost host;
};

Texts problems_of(const Message<Facts>& facts) {
  Texts parts;
  for (const auto gap : facts.reader().getCoverage().getProblems())
    parts.push_back(str(gap.getPart()));
  return parts;
}

Texts absent_of(const Message<Facts>& facts) {
  Texts parts;
  for (const auto gap : facts.reader().getCoverage().getParts())
    parts.push_back(str(gap.getPart()));
  return parts;
}

}  // namespace

TEST_CASE("audit disks: disks are told from volumes, CDs and empty slots", "[agent][disks]") {
  Server server;

  const auto message = server.observe();
  const auto facts = message.reader();

  Texts disks;
  for (const auto disk : facts.getDisks()) disks.push_back(str(disk.getName()));
  CHECK(disks == Texts{"sda", "sdc", "sde", "sdg", "nvme0n1", "nvme1n1"});
  Texts volumes;
  for (const auto volume : facts.getVolumes())
    volumes.push_back(str(volume.getName()) + " " + str(volume.getKind()));
  CHECK(volumes == Texts{"loop1 loop", "dm-0 lvm", "dm-1 lvm", "zd0 zvol", "zram0 zram"});
  CHECK(facts.getPartitions().size() == 8);
  CHECK(problems_of(message) == Texts{"/dev/sdg"});
}

TEST_CASE("audit disks: identity, bus and stable name", "[agent][disks]") {
  Server server;

  const auto message = server.observe();
  const auto disks = message.reader().getDisks();

  CHECK(view(disks[1].getById()) == "ata-ST4000VN008-2DR166_ZDH0AAA1");
  CHECK(disks[1].getAliases().size() == 2);
  CHECK(view(disks[1].getSerial()) == "ZDH0AAA1");
  CHECK(view(disks[1].getBus()) == "sata");
  CHECK(disks[2].getUsb());
  CHECK(disks[2].getPhysicalSector() == 4096);
}

TEST_CASE("audit disks: every user of a disk is named", "[agent][disks]") {
  const auto devices = must(BlockDevices::parse(data_file("disks/lsblk-server.json")));

  const auto users = users_of(devices);

  const auto has = [&](const User& user) { return std::ranges::count(users, user) == 1; };
  CHECK(has({"sda", "sda3", "zfs", "rpool"}));
  CHECK(has({"sda", "sda2", "filesystem", "vfat"}));
  CHECK(has({"sdc", "sdc1", "zfs", "tank"}));
  CHECK(has({"sde", "sde1", "mount", "/mnt/usb"}));
  CHECK(has({"nvme0n1", "nvme0n1p1", "lvm", "pve-root, pve-swap"}));
  CHECK(has({"nvme1n1", "pve-root", "mount", "/srv"}));
  CHECK(has({"nvme0n1", "pve-swap", "swap", "[SWAP]"}));
  CHECK(std::ranges::count(users, "zram0", &User::disk) == 0);
  CHECK(std::ranges::count(users, "loop1", &User::disk) == 0);
}

TEST_CASE("audit disks: health is evidence, also where it is bad", "[agent][disks]") {
  Server server;

  const auto message = server.observe();
  const auto smart = message.reader().getSmart();

  REQUIRE(smart.size() == 4);
  CHECK(smart[0].getHealth() == schema::AuditDisks::Health::FAILED);
  CHECK(smart[0].getPending() == -1);
  CHECK(smart[1].getHealth() == schema::AuditDisks::Health::PASSED);
  CHECK(smart[1].getPending() == 8);
  CHECK(smart[1].getExitStatus() == 192);
  CHECK(smart[3].getWear() == 3);
  CHECK(absent_of(message) == Texts{"SMART of /dev/nvme1n1"});
}

TEST_CASE("audit disks: a USB bridge that passes nothing on is absence", "[agent][disks]") {
  Server server;
  server.host.answer("smartctl --json=c -a -d sat /dev/sde", report("usb-bridge", 2));

  const auto message = server.observe();

  CHECK(absent_of(message) == Texts{"SMART of /dev/sde", "SMART of /dev/nvme1n1"});
}

TEST_CASE("audit disks: a disk that smartctl cannot open is a problem", "[agent][disks]") {
  const auto output = GENERATE(report("unknown-type", 1), Output{.status = 1, .err = "killed\n"},
                               report("scsi", 2));
  Server server;
  server.host.answer("smartctl --json=c -a /dev/sdc", output);

  CHECK(problems_of(server.observe()) == Texts{"/dev/sdg", "SMART of /dev/sdc"});
}

TEST_CASE("audit disks: no smartctl is said once, with what to install", "[agent][disks]") {
  SimHost host;
  host.program("lsblk", Output{.out = data_file("disks/lsblk-server.json")});
  host.directory("/sys/block");
  host.directory("/run/udev/data");
  host.directory("/dev/disk/by-id");
  const auto params = must(Message<schema::AuditDisks>::from_json("{}"));

  const auto message = must(AuditDisks::observe(params.reader(), host));

  CHECK(absent_of(message) == Texts{"SMART"});
  CHECK(view(message.reader().getCoverage().getParts()[0].getWhy()) ==
        "no smartctl on this machine: install smartmontools");
  CHECK(message.reader().getDisks().size() == 6);
}

TEST_CASE("audit disks: a virtual machine's disk has no SMART and no problem", "[agent][disks]") {
  SimHost host;
  mount(host, {"/"});
  host.program("lsblk", Output{.out = data_file("disks/lsblk-vm.json")});
  host.directory("/sys/devices/pci0000:00/0000:00:02.0/virtio1/block/vda");
  host.link("/sys/block/vda", "../devices/pci0000:00/0000:00:02.0/virtio1/block/vda");
  const auto params = must(Message<schema::AuditDisks>::from_json("{}"));

  const auto message = must(AuditDisks::observe(params.reader(), host));

  REQUIRE(message.reader().getDisks().size() == 1);
  CHECK(view(message.reader().getDisks()[0].getBus()) == "virtio");
  CHECK(absent_of(message) == Texts{"names below /dev/disk/by-id", "SMART of /dev/vda"});
  CHECK(problems_of(message).empty());
}

TEST_CASE("audit disks: without udev a device that cannot be looked into is a problem",
          "[agent][disks]") {
  SimHost host;
  mount(host, {"/"});
  host.program("lsblk", Output{.out = R"({"blockdevices":[
    {"kname":"vdb","path":"/dev/vdb","type":"disk","size":5},
    {"kname":"vdc","path":"/dev/vdc","type":"disk","size":5}]})"});
  host.directory("/sys/block");
  host.answer("blkid -p -o export /dev/vdb",
              {.status = 2, .err = "blkid: error: /dev/vdb: Operation not permitted\n"});
  host.answer("blkid -p -o export /dev/vdc", {.status = 2});
  const auto params = must(Message<schema::AuditDisks>::from_json("{}"));

  const auto message = must(AuditDisks::observe(params.reader(), host));

  CHECK(problems_of(message) == Texts{"content of /dev/vdb"});
}

TEST_CASE("audit disks: tells what is mounted, but for what holds no files", "[agent][disks]") {
  Server server;
  server.host.file("/proc/self/mountinfo",
                   "30 1 0:27 / / rw - zfs rpool/ROOT/pve-1 rw\n"
                   "31 30 0:5 / /proc rw - proc proc rw\n"
                   "32 30 8:17 / /mnt/usb rw - ext4 /dev/sdb1 rw\n"
                   "33 30 0:27 /home /tank/home rw - zfs rpool/ROOT/pve-1 rw\n"
                   "34 30 0:99 / /var/lib/docker/overlay2/a/merged rw - overlay overlay rw\n");

  const auto facts = server.observe();
  Texts mounts;
  for (const auto row : facts.reader().getMounts())
    mounts.push_back(str(row.getPoint()) + " " + str(row.getType()) + " " + str(row.getSource()));

  CHECK(mounts == Texts{"/ zfs rpool/ROOT/pve-1", "/mnt/usb ext4 /dev/sdb1",
                        "/tank/home zfs rpool/ROOT/pve-1"});
}

TEST_CASE("audit disks: where mounts cannot be read, that is a problem", "[agent][disks]") {
  Server server;
  server.host.remove("/proc/self/mountinfo");

  CHECK(problems_of(server.observe()) == Texts{"/dev/sdg", "mounts"});
}

TEST_CASE("audit disks: a disk that lsblk leaves out is a problem", "[agent][disks]") {
  Server server;
  server.host.directory("/sys/devices/pci0000:00/ata9/block/sdz");
  server.host.link("/sys/block/sdz", "../devices/pci0000:00/ata9/block/sdz");
  server.host.directory("/sys/devices/pci0000:00/nvme/nvme0c0n1");
  server.host.link("/sys/block/nvme0c0n1", "../devices/pci0000:00/nvme/nvme0c0n1");
  server.host.file("/sys/devices/pci0000:00/nvme/nvme0c0n1/hidden", "1\n");

  CHECK(problems_of(server.observe()) == Texts{"/dev/sdg", "/dev/sdz"});
}

TEST_CASE("audit disks: a failing lsblk fails the section", "[agent][disks]") {
  const auto params = must(Message<schema::AuditDisks>::from_json("{}"));
  SimHost host;
  CHECK_FALSE(AuditDisks::observe(params.reader(), host));
  host.program("lsblk", Output{.out = "{\"blockdevices\": ["});
  CHECK_FALSE(AuditDisks::observe(params.reader(), host));
}

TEST_CASE("audit disks: a container has none of its own", "[agent][disks]") {
  Server server;
  server.host.file("/run/systemd/container", "lxc\n");

  const auto message = server.observe();

  CHECK(view(message.reader().getCoverage().getAbsent()) ==
        "a lxc container has no disks of its own");
}

TEST_CASE("disks: the best of the stable names has model and serial", "[agent][disks]") {
  CHECK(best_name({"nvme-WD_21", "nvme-WD_21_1", "nvme-eui.e8"}) == "nvme-WD_21");
  CHECK(best_name({"scsi-35000c500a", "wwn-0x5000c500a"}) == "scsi-35000c500a");
  CHECK(best_name({"scsi-SATA_ST4_ZD", "ata-ST4_ZD", "wwn-0x5"}) == "ata-ST4_ZD");
  CHECK(best_name({}).empty());
}

}  // namespace relab::agent::disks
