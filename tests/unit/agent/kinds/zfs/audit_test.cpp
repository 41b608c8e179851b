#include "agent/kinds/zfs/audit.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/host/sim/sim_host.h"
#include "common/base/text.h"
#include "tests/support/must.h"
#include "tests/support/transcript.h"

namespace relab::agent::zfs {

namespace {

using Facts = schema::AuditZfs::Facts;

const std::string recorded_columns =
    "name,type,used,available,referenced,mountpoint,mounted,encryption,keystatus,keylocation,"
    "keyformat,encryptionroot,guid,creation,written,logicalused,compressratio,recordsize,volsize,"
    "quota";

/// `zfs list` of any columns out of the recorded ones; "-" for what was not recorded.
Result<Output> zfs_list(const std::string& recorded, const Command& command) {
  const auto& argv = command.argv;
  if (argv.at(1) != "list") return Output{.status = 2, .err = "unknown command\n"};
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

constexpr const char* lsblk = R"({"blockdevices":[
  {"kname":"vdd","type":"disk","serial":"d0"},{"kname":"vdd1","type":"part","pkname":"vdd"},
  {"kname":"vde","type":"disk","serial":"d1"},{"kname":"vde1","type":"part","pkname":"vde"},
  {"kname":"vdf","type":"disk","serial":"d2"},{"kname":"vdf1","type":"part","pkname":"vdf"},
  {"kname":"vdg","type":"disk","serial":"d3"},{"kname":"vdg1","type":"part","pkname":"vdg"},
  {"kname":"vdb","type":"disk","serial":"r0"},{"kname":"vdb1","type":"part","pkname":"vdb"},
  {"kname":"vdc","type":"disk","serial":null},{"kname":"vdc1","type":"part","pkname":"vdc"}]})";

void add_disks(SimHost& host) {
  const std::vector<std::pair<std::string, std::string>> links = {
      {"d0", "vdd"}, {"d1", "vde"}, {"d2", "vdf"}, {"d3", "vdg"}, {"r0", "vdb"}, {"r1", "vdc"}};
  for (const auto& [id, name] : links) {
    host.device("/dev/" + name, {.type = FileType::block});
    host.device("/dev/" + name + "1", {.type = FileType::block});
    host.link("/dev/disk/by-id/virtio-" + id, "../../" + name);
    host.link("/dev/disk/by-id/virtio-" + id + "-part1", "../../" + name + "1");
  }
  host.program("lsblk", Output{.out = lsblk});
}

/// The same lines for another pool.
std::string renamed(const std::string& properties, const std::string& pool) {
  std::string text;
  for (const auto line : lines(properties))
    text += fmt::format("{}{}\n", pool, line.substr(line.find('\t')));
  return text;
}

/// The same table as `zpool status -g` prints it: each vdev below a pool by a number of as many
/// digits as its name has letters.
Output with_guids(Output status) {
  bool in_table = false;
  for (std::size_t at = 0; at < status.out.size(); at = status.out.find('\n', at) + 1) {
    const auto start = status.out.find_first_not_of("\t ", at);
    const auto word = status.out.find_first_of(" \n", start) - start;
    const auto name = status.out.substr(start, word);
    if (name == "NAME") in_table = true;
    if (name == "errors:") in_table = false;
    if (in_table && start > at + 1)
      for (std::size_t i = 0; i < word; ++i) status.out[start + i] = char('1' + i % 9);
    if (status.out.find('\n', at) == std::string::npos) break;
  }
  return status;
}

/// The recorded machine: two pools, six datasets, of one of the two versions.
struct Machine {
  explicit Machine(const std::string& version) : folder("zfs/" + version + "/") {
    const auto list = transcript(folder + "zfs-list-Hp.txt").out;
    host.directory("/sys/module/zfs");
    host.device("/dev/zfs", {.type = FileType::character});
    host.program("zfs", [list](const Command& command) { return zfs_list(list, command); });
    host.answer("zpool version", transcript(folder + "zfs-version.txt"));
    host.answer("zpool list -Hp -o name,guid,health",
                {.out = "datapool\t2617305587654582695\tONLINE\n"
                        "rpool\t7457531438187287706\tONLINE\n"});
    const auto properties = transcript(folder + "zpool-get-Hp-all.txt").out;
    host.answer("zpool get -Hp all", {.out = properties + renamed(properties, "rpool")});
    host.answer("zpool import", {.status = 0, .err = "no pools available to import\n"});
    host.program("date", Output{.out = "1795372317\n"});
    add_disks(host);
  }
  void answer(const std::string& command, const std::string& sample) {
    host.answer(command, transcript(folder + sample));
  }
  /// What `zpool status` prints for people, in both of its forms.
  void status_text(const std::string& sample) {
    answer("zpool status -vPp", sample);
    host.answer("zpool status -gp", with_guids(transcript(folder + sample)));
  }
  Message<Facts> observe() { return must(AuditZfs::observe(params(), host)); }
  static schema::AuditZfs::Reader params() {
    static const auto message = must(Message<schema::AuditZfs>::from_json("{}"));
    return message.reader();
  }

  std::string folder;
  SimHost host;
};

std::vector<std::string> problems_of(const Message<Facts>& facts) {
  std::vector<std::string> parts;
  for (const auto problem : facts.reader().getCoverage().getProblems())
    parts.push_back(str(problem.getPart()));
  return parts;
}

using Parts = std::vector<std::string>;

}  // namespace

TEST_CASE("audit zfs: ZFS 2.3 is read through JSON, down to the serials", "[agent][zfs]") {
  Machine machine("2.3.9");
  machine.answer("zpool status -j --json-int -v", "zpool-status-j.txt");

  const auto message = machine.observe();
  const auto facts = message.reader();

  CHECK(view(facts.getToolVersion()) == "2.3.9-0+deb13u1");
  REQUIRE(facts.getPools().size() == 2);
  CHECK(facts.getPools()[0].getErrorsKnown());
  CHECK(facts.getPools()[0].getAshift() == 12);
  REQUIRE(facts.getVdevs().size() == 10);
  CHECK(view(facts.getVdevs()[2].getSerial()) == "d0");
  CHECK(view(facts.getVdevs()[2].getDevice()) == "vdd1");
  CHECK(facts.getVdevs()[2].getParent() == 1);
  CHECK(facts.getVdevs()[8].getParent() == 7);
  CHECK(view(facts.getVdevs()[9].getNote()) == "the disk tells no serial");
  REQUIRE(facts.getDatasets().size() == 10);
  CHECK(view(facts.getDatasets()[0].getKeyStatus()) == "available");
  CHECK(facts.getDatasets()[2].getSnapshots() == 2);
  CHECK(view(facts.getDatasets()[2].getNewestSnapshot()) == "pre-rebuild");
  CHECK(facts.getDatasets()[5].getVolumeSize() == 67108864);
  CHECK(facts.getFeatures().size() == 4);
  CHECK(facts.getImportable().size() == 0);
}

TEST_CASE("audit zfs: ZFS 2.1 is read through text, with GUIDs and times", "[agent][zfs]") {
  Machine machine("2.1.11");
  machine.status_text("scrub-fatal.txt");

  const auto message = machine.observe();
  const auto facts = message.reader();

  CHECK(facts.getPools()[0].getDataErrors() == 4);
  CHECK(facts.getDamaged().size() == 4);
  CHECK(facts.getScans()[0].getEndedAt() == 1795372317000);
  CHECK(facts.getScans()[0].getErrors() == 29);
  CHECK(facts.getVdevs()[2].getGuid() == 123456789);
  CHECK(view(facts.getVdevs()[2].getSerial()) == "d0");
  CHECK(problems_of(message) == Parts{"status of pool rpool"});
}

TEST_CASE("audit zfs: GUIDs of another layout than the one that was seen are a problem",
          "[agent][zfs]") {
  Machine machine("2.1.11");
  machine.answer("zpool status -vPp", "zpool-status-pLP.txt");
  machine.answer("zpool status -gp", "scrub-fatal.txt");

  const auto message = machine.observe();

  CHECK(message.reader().getVdevs().size() == 10);
  CHECK(problems_of(message) == Parts{"GUIDs of the vdevs"});
}

TEST_CASE("audit zfs: broken JSON falls back to text", "[agent][zfs]") {
  Machine machine("2.3.9");
  machine.host.answer("zpool status -j --json-int -v", {.out = "{\"pools\":{"});
  machine.status_text("zpool-status-pLP.txt");

  const auto message = machine.observe();

  CHECK(message.reader().getVdevs().size() == 10);
  CHECK(problems_of(message).empty());
}

TEST_CASE("audit zfs: no pool is a fact", "[agent][zfs]") {
  Machine machine("2.3.9");
  machine.host.answer("zpool list -Hp -o name,guid,health", {});

  const auto message = machine.observe();

  CHECK(message.reader().getPools().size() == 0);
  CHECK(view(message.reader().getCoverage().getAbsent()).empty());
  CHECK(problems_of(message).empty());
}

TEST_CASE("audit zfs: a pool that is not imported is listed with its disks", "[agent][zfs]") {
  Machine machine("2.3.9");
  machine.host.answer("zpool list -Hp -o name,guid,health", {});
  machine.answer("zpool import", "zpool-import-list.txt");

  const auto message = machine.observe();
  const auto facts = message.reader();

  CHECK(facts.getImportable()[0].getGuid() == 2617305587654582695);
  CHECK(facts.getImportableVdevs().size() == 6);
  CHECK(view(facts.getImportableVdevs()[5].getSerial()) == "d3");
}

TEST_CASE("audit zfs: a disk that is gone is a problem and keeps its path", "[agent][zfs]") {
  Machine machine("2.3.9");
  machine.answer("zpool status -j --json-int -v", "zpool-status-j.txt");
  machine.host.remove("/dev/disk/by-id/virtio-d2-part1");

  const auto message = machine.observe();

  CHECK(view(message.reader().getVdevs()[4].getPath()) == "/dev/disk/by-id/virtio-d2-part1");
  CHECK(view(message.reader().getVdevs()[4].getNote()) == "there is no such device now");
  CHECK(problems_of(message) == Parts{"serial of virtio-d2 in pool datapool"});
}

TEST_CASE("audit zfs: that a disk is gone which ZFS does not have is no problem", "[agent][zfs]") {
  Machine machine("2.3.9");
  auto status = transcript("zfs/2.3.9/zpool-status-j.txt");
  const std::string online = R"("state":"ONLINE")";
  const auto at = status.out.find(online, status.out.find("\"virtio-d2\""));
  REQUIRE(at != std::string::npos);
  const auto* const state = GENERATE("UNAVAIL", "REMOVED", "OFFLINE", "FAULTED");
  status.out.replace(at, online.size(), fmt::format(R"("state":"{}")", state));
  machine.host.answer("zpool status -j --json-int -v", {.out = status.out});
  machine.host.remove("/dev/disk/by-id/virtio-d2-part1");

  const auto message = machine.observe();

  CHECK(view(message.reader().getVdevs()[4].getState()) == state);
  CHECK(view(message.reader().getVdevs()[4].getSerial()).empty());
  CHECK(problems_of(message).empty());
}

TEST_CASE("audit zfs: each question that fails is a problem of its own", "[agent][zfs]") {
  const auto [command, part] =
      GENERATE(table<const char*, const char*>({{"zpool get -Hp all", "properties of the pools"},
                                                {"zpool status -vPp", "status of the pools"},
                                                {"zpool status -gp", "GUIDs of the vdevs"},
                                                {"zpool import", "pools that could be imported"},
                                                {"lsblk", "serials of the vdevs"},
                                                {"zfs snapshots", "snapshots of pool datapool"},
                                                {"zfs datasets", "datasets of pool datapool"}}));
  Machine machine("2.1.11");
  machine.status_text("zpool-status-pLP.txt");
  const Output failure = {.status = 1, .err = "cannot do it: I/O error\n"};
  const auto list = transcript("zfs/2.1.11/zfs-list-Hp.txt").out;
  if (std::string_view(command) == "lsblk") machine.host.program("lsblk", failure);
  machine.host.answer(command, failure);
  machine.host.program("zfs", [=, what = std::string(command)](const Command& asked) {
    const bool snapshots = asked.argv.at(5) == "snapshot";
    const bool hit =
        asked.argv.back() == "datapool" && what == (snapshots ? "zfs snapshots" : "zfs datasets");
    return hit ? Result<Output>(failure) : zfs_list(list, asked);
  });

  const auto message = machine.observe();

  CHECK(problems_of(message) == Parts{part});
  CHECK(message.reader().getPools().size() == 2);
}

TEST_CASE("audit zfs: zfs list that ends well but empty is a problem", "[agent][zfs]") {
  Machine machine("2.3.9");
  machine.answer("zpool status -j --json-int -v", "zpool-status-j.txt");
  machine.host.program("zfs", Output{});

  CHECK(problems_of(machine.observe()) ==
        Parts{"datasets of pool datapool", "datasets of pool rpool"});
}

TEST_CASE("audit zfs: zpool import that says nothing at all is a problem", "[agent][zfs]") {
  Machine machine("2.3.9");
  machine.host.answer("zpool list -Hp -o name,guid,health", {});
  machine.host.answer("zpool import", {});

  CHECK(problems_of(machine.observe()) == Parts{"pools that could be imported"});
}

TEST_CASE("audit zfs: without the kernel module the section fails and loads nothing",
          "[agent][zfs]") {
  Machine machine("2.3.9");
  machine.host.remove("/sys/module/zfs");

  const auto facts = AuditZfs::observe(Machine::params(), machine.host);

  REQUIRE_FALSE(facts);
  CHECK(facts.error().fault == Fault::unsupported);
  CHECK(machine.host.ran() == std::vector<std::string>{"zpool version"});
}

TEST_CASE("audit zfs: a failing zpool list fails the section", "[agent][zfs]") {
  Machine machine("2.3.9");
  machine.host.answer("zpool list -Hp -o name,guid,health",
                      {.status = 1,
                       .err = "Permission denied the ZFS utilities must be run as "
                              "root.\n"});

  const auto facts = AuditZfs::observe(Machine::params(), machine.host);

  REQUIRE_FALSE(facts);
  CHECK(facts.error().what.find("Permission denied") != std::string::npos);
}

TEST_CASE("audit zfs: no zpool is absence", "[agent][zfs]") {
  SimHost host;
  host.program("lsblk", Output{.out = R"({"blockdevices":[{"kname":"vda","type":"disk"}]})"});

  const auto message = must(AuditZfs::observe(Machine::params(), host));

  CHECK(view(message.reader().getCoverage().getAbsent()) == "no zpool on this machine");
}

TEST_CASE("audit zfs: no zpool, but a disk with a pool, is a problem", "[agent][zfs]") {
  SimHost host;
  host.program("lsblk", Output{.out = R"({"blockdevices":[{"kname":"sdc1","type":"part",
    "path":"/dev/sdc1","fstype":"zfs_member","label":"tank"}]})"});

  const auto message = must(AuditZfs::observe(Machine::params(), host));

  CHECK(view(message.reader().getCoverage().getAbsent()).empty());
  CHECK(problems_of(message) == Parts{"pools"});
}

TEST_CASE("audit zfs: a container without /dev/zfs has no pools of its own", "[agent][zfs]") {
  Machine machine("2.3.9");
  machine.host.remove("/dev/zfs");
  machine.host.file("/run/systemd/container", "lxc\n");

  CHECK_FALSE(view(machine.observe().reader().getCoverage().getAbsent()).empty());
}

}  // namespace relab::agent::zfs
