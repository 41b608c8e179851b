// What an audit found, put into a machine, is found there again.

#include "agent/kinds/disks/audit.h"

#include <algorithm>

#include "agent/kinds/support/json.h"
#include "agent/kinds/zfs/audit.h"
#include "agent/kinds/zfs/health.h"
#include "common/base/text.h"
#include "tests/support/transcript.h"
#include "tests/unit/sim/storage/z640.h"

namespace relab::agent::sim {

namespace {

Message<schema::AuditDisks::Facts> audit_disks(Host& host) {
  static const auto params = must(Message<schema::AuditDisks>::from_json("{}"));
  return must(disks::AuditDisks::observe(params.reader(), host));
}

Message<schema::AuditZfs::Facts> audit_zfs(Host& host) {
  static const auto params = must(Message<schema::AuditZfs>::from_json("{}"));
  return must(zfs::AuditZfs::observe(params.reader(), host));
}

/// Without what is empty: the one writes that, and the other leaves it out.
Json told(Json facts) {
  if (!facts.is_object() && !facts.is_array()) return facts;
  Json kept = facts.is_object() ? Json::object() : Json::array();
  for (auto& [key, value] : facts.items()) {
    auto inner = told(value);
    const bool empty = inner == "" || ((inner.is_object() || inner.is_array()) && inner.empty());
    if (facts.is_array())
      kept.push_back(std::move(inner));
    else if (!empty)
      kept[key] = std::move(inner);
  }
  return kept;
}

/// What differs, as changes that lead from the one to the other.
template <typename T>
std::string difference(typename T::Reader from, typename T::Reader to) {
  const auto from_json = told(Json::parse(Draft<T>(from).finish().to_json()));
  const auto to_json = told(Json::parse(Draft<T>(to).finish().to_json()));
  const auto changes = Json::diff(from_json, to_json);
  return changes.empty() ? "" : changes.dump(1);
}

using DisksFacts = schema::AuditDisks::Facts;
using ZfsFacts = schema::AuditZfs::Facts;

Output report(const std::string& name, int status) {
  return {.status = status, .out = data_file("disks/smart-" + name + ".json")};
}

/// A server with SSD, hard disk, USB disk, NVMe below LVM, an empty card reader, a broken disk.
void record_server(SimHost& host) {
  host.directory("/run/udev/data");
  must(host.mount({.point = "/", .type = "zfs", .source = "rpool/ROOT/pve-1"}));
  host.program("lsblk", Output{.out = data_file("disks/lsblk-server.json")});
  const std::vector<std::pair<std::string, std::string>> places = {
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
  for (const auto& [name, place] : places) {
    host.directory("/sys/devices/" + place + "/block/" + name);
    host.link("/sys/block/" + name, "../devices/" + place + "/block/" + name);
  }
  host.link("/dev/disk/by-id/wwn-0x5000c500a0000001", "../../sdc");
  host.link("/dev/disk/by-id/ata-ST4000VN008-2DR166_ZDH0AAA1", "../../sdc");
  host.link("/dev/disk/by-id/ata-ST4000VN008-2DR166_ZDH0AAA1-part1", "../../sdc1");
  host.answer("smartctl --json=c -a /dev/sda", report("ssd-failing", 24));
  host.answer("smartctl --json=c -a /dev/sdc", report("hdd", 192));
  host.answer("smartctl --json=c -a /dev/sde", report("usb-bridge", 1));
  host.answer("smartctl --json=c -a -d sat /dev/sde", report("usb-bridge", 2));
  host.answer("smartctl --json=c -a /dev/nvme0n1", report("nvme", 0));
  host.answer("smartctl --json=c -a /dev/nvme1n1", report("none", 0));
}

}  // namespace

TEST_CASE("sim disks: a recorded server is found again", "[agent][sim][storage]") {
  SimHost recorded;
  record_server(recorded);
  const auto before = audit_disks(recorded);
  Draft<schema::World> world;
  world->setDisks(before.reader());
  const auto made = std::move(world).finish();

  SimHost host;
  host.strict({});
  Disks disks(host, made.reader());
  const auto after = audit_disks(host);

  CHECK(difference<DisksFacts>(before.reader(), after.reader()) == "");
  CHECK(host.unknown().empty());
}

namespace {

const std::string recorded_columns =
    "name,type,used,available,referenced,mountpoint,mounted,encryption,keystatus,keylocation,"
    "keyformat,encryptionroot,guid,creation,written,logicalused,compressratio,recordsize,volsize,"
    "quota";

/// `zfs list` of any columns out of the recorded ones; "-" for what was not recorded.
Output recorded_list(const std::string& recorded, const Command& command) {
  const auto& argv = command.argv;
  const auto known = split(recorded_columns, ',');
  const bool snapshots = argv.at(5) == "snapshot";
  Output output;
  for (const auto line : lines(recorded)) {
    const auto row = split(line, '\t');
    if ((row[1] == "snapshot") != snapshots || !row[0].starts_with(argv.back())) continue;
    std::vector<std::string> values;
    for (const auto column : split(argv.at(7), ',')) {
      const auto at = std::ranges::find(known, column);
      values.emplace_back(at == known.end() ? "-" : row[std::size_t(at - known.begin())]);
    }
    output.out += fmt::format("{}\n", fmt::join(values, "\t"));
  }
  return output;
}

/// Two pools and six datasets, as ZFS 2.3 tells of them.
void record_pools(SimHost& host, const std::string& status) {
  const auto list = transcript("zfs/2.3.9/zfs-list-Hp.txt").out;
  const auto properties = transcript("zfs/2.3.9/zpool-get-Hp-all.txt").out;
  host.directory("/sys/module/zfs");
  must(host.mount({.point = "/", .type = "ext4", .source = "/dev/root"}));
  host.program("zfs", [list](const Command& command) { return recorded_list(list, command); });
  host.answer("zpool version", transcript("zfs/2.3.9/zfs-version.txt"));
  host.answer("zpool list -Hp -o name,guid,health",
              {.out = "datapool\t2617305587654582695\tONLINE\n"});
  host.answer("zpool get -Hp all", {.out = properties});
  host.answer("zpool status -j --json-int -v", transcript("zfs/2.3.9/" + status));
  auto importable = transcript("zfs/2.3.9/import-foreign-list.txt");
  // Before it there is what hostid printed.
  importable.out.erase(0, importable.out.find("  pool:"));
  host.answer("zpool import", importable);
  std::string rows;
  for (const auto& [id, name] : std::vector<std::pair<std::string, std::string>>{{"d0", "vdd"},
                                                                                 {"d1", "vde"},
                                                                                 {"d2", "vdf"},
                                                                                 {"d3", "vdg"},
                                                                                 {"r0", "vdb"},
                                                                                 {"r1", "vdc"}}) {
    host.device("/dev/" + name, {.type = FileType::block});
    host.device("/dev/" + name + "1", {.type = FileType::block});
    host.link("/dev/disk/by-id/virtio-" + id, "../../" + name);
    host.link("/dev/disk/by-id/virtio-" + id + "-part1", "../../" + name + "1");
    rows += fmt::format(
        R"({}{{"kname":"{}","path":"/dev/{}","type":"disk","serial":"{}","size":512}},
            {{"kname":"{}1","path":"/dev/{}1","type":"part","pkname":"{}","size":256}})",
        rows.empty() ? "" : ",", name, name, id, name, name, name);
  }
  host.program("lsblk", Output{.out = "{\"blockdevices\":[" + rows + "]}"});
  host.directory("/run/udev/data");
}

}  // namespace

TEST_CASE("sim storage: recorded pools are found again", "[agent][sim][storage]") {
  const auto* status =
      GENERATE("zpool-status-j-int.txt", "scrub-fatal-j.txt", "zpool-status-j-offline.txt");
  SimHost recorded;
  record_pools(recorded, status);
  const auto before = audit_zfs(recorded);
  for (const auto gap : before.reader().getCoverage().getProblems())
    FAIL(view(gap.getPart()) << ": " << view(gap.getWhy()));
  Draft<schema::World> world;
  world->setZfs(before.reader());
  world->setDisks(audit_disks(recorded).reader());
  const auto made = std::move(world).finish();

  SimHost host;
  host.strict({});
  Storage storage(host, made.reader());
  const auto after = audit_zfs(host);

  // What was not recorded of a dataset is none there, and has a value of its own here.
  CHECK(difference<ZfsFacts>(before.reader(), after.reader()) == "");
  CHECK(host.unknown() == std::set<std::string>());
}

TEST_CASE("sim storage: the reference lab's machine is found again", "[agent][sim][storage]") {
  const auto* version = GENERATE("2.3.9-0+deb13u1", "2.1.11-1");
  Z640Machine machine(version);
  must(machine.storage.plug("NAAB0001"));

  const auto found_disks = audit_disks(machine.host);
  const auto found_zfs = audit_zfs(machine.host);

  CHECK(difference<DisksFacts>(machine.world.reader().getDisks(), found_disks.reader()) == "");
  CHECK(difference<ZfsFacts>(machine.world.reader().getZfs(), found_zfs.reader()) == "");
  CHECK(machine.host.unknown() == std::set<std::string>());
}

TEST_CASE("sim storage: a disk that nobody has plugged in is not there", "[agent][sim][storage]") {
  Z640Machine machine;

  CHECK(audit_disks(machine.host).reader().getDisks().size() == 6);
  must(machine.storage.plug("NAAB0001"));
  CHECK(audit_disks(machine.host).reader().getDisks().size() == 7);
  must(machine.storage.pull("NAAB0001"));
  CHECK(audit_disks(machine.host).reader().getDisks().size() == 6);
  CHECK(machine.storage.plug("OTHER").error().fault == Fault::missing);
}

}  // namespace relab::agent::sim
