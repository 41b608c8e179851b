#include "agent/kinds/zfs/status.h"

#include <fmt/format.h>
#include <random>

#include "tests/support/must.h"
#include "tests/support/transcript.h"

namespace relab::agent::zfs {

namespace {

std::vector<PoolStatus> from_text(const std::string& name) {
  return must(parse_status_text(transcript("zfs/" + name).out));
}

std::vector<PoolStatus> from_json(const std::string& name) {
  return must(parse_status_json(transcript("zfs/" + name).out));
}

const std::string wide =
    "  pool: tank\n state: DEGRADED\n  scan: none requested\nconfig:\n\n"
    "\tNAME                      STATE     READ WRITE CKSUM\n"
    "\ttank                      DEGRADED     0     0     0\n"
    "\t  mirror-0                DEGRADED     0     0     0\n"
    "\t    /dev/disk/by-id/a-part1  ONLINE 123456 1234567 0\n"
    "\nerrors: No known data errors\n";

const std::string classes =
    "  pool: my tank\n state: DEGRADED\n"
    "  scan: resilver in progress since Sun Nov 22 18:31:57 2026\n"
    "\t1.00G / 2.00G scanned, 500M / 2.00G issued\n"
    "\t400M resilvered, 25.00% done, no estimated completion time\n"
    "config:\n\n"
    "\tNAME                                 STATE     READ WRITE CKSUM\n"
    "\tmy tank                              DEGRADED     0     0     0\n"
    "\t  draid2:4d:6c:1s-0                  DEGRADED     0     0     0\n"
    "\t    /dev/disk/by-id/ata-A_1-part1    ONLINE       0     0     0\n"
    "\t    spare-1                          DEGRADED     0     0 12345678\n"
    "\t      9876543210987654321            UNAVAIL      0     0     0  was "
    "/dev/disk/by-id/ata-B_2-part1\n"
    "\t      /dev/disk/by-id/ata-S_9-part1  ONLINE       0     0     0  (resilvering)\n"
    "\tspecial\t\n"
    "\t  mirror-1                           ONLINE       0     0     0\n"
    "\t    /dev/disk/by-id/nvme-X-part1     ONLINE       1     2     3\n"
    "\tlogs\t\n"
    "\t  /dev/disk/by-id/nvme-L-part1       ONLINE       0     0     0\n"
    "\tcache\n"
    "\t  /var/lib/cache.img                 ONLINE       0     0     0\n"
    "\tspares\n"
    "\t  /dev/disk/by-id/ata-S_9-part1      INUSE     currently in use\n"
    "\t  draid2-0-0                         AVAIL   \n"
    "\nerrors: No known data errors\n";

}  // namespace

TEST_CASE("zpool status: both versions' layouts for people are read whole", "[agent][zfs]") {
  const auto* version = GENERATE("2.1.11", "2.3.9");

  const auto pools = from_text(std::string(version) + "/zpool-status-pLP.txt");

  REQUIRE(pools.size() == 2);
  CHECK(pools[0].name == "datapool");
  CHECK(pools[0].state == "ONLINE");
  CHECK(pools[0].data_errors == 0);
  CHECK(pools[0].scans.empty());
  REQUIRE(pools[0].vdevs.size() == 6);
  CHECK(pools[0].vdevs[0].kind == "root");
  CHECK(pools[0].vdevs[1].kind == "raidz2");
  CHECK(pools[0].vdevs[5].path == "/dev/vdg1");
  CHECK(pools[0].vdevs[5].kind == "disk");
  CHECK(pools[0].vdevs[5].depth == 2);
  CHECK(pools[0].vdevs[5].parent == 1);
  CHECK(pools[1].vdevs[1].kind == "mirror");
}

TEST_CASE("zpool status: JSON with numbers as numbers is read whole", "[agent][zfs]") {
  const auto pools = from_json("2.3.9/zpool-status-j-int.txt");

  REQUIRE(pools.size() == 1);
  CHECK(pools[0].name == "datapool");
  CHECK(pools[0].guid == 2617305587654582695U);
  CHECK(pools[0].state == "ONLINE");
  CHECK(pools[0].data_errors == 0);
  REQUIRE(pools[0].vdevs.size() == 6);
  CHECK(pools[0].vdevs[1].kind == "raidz2");
  CHECK(pools[0].vdevs[1].guid == 5337553133645323271U);
  CHECK(pools[0].vdevs[5].name == "virtio-d3");
  CHECK(pools[0].vdevs[5].guid == 5173679472717236843U);
  CHECK(pools[0].vdevs[5].path == "/dev/disk/by-id/virtio-d3-part1");
  CHECK(pools[0].vdevs[5].parent == 1);
}

TEST_CASE("zpool status: ONLINE with permanent errors keeps the errors", "[agent][zfs]") {
  const auto pool = from_text("2.3.9/scrub-fatal.txt").at(0);

  CHECK(pool.state == "ONLINE");
  CHECK(pool.data_errors == 14);
  CHECK(pool.damaged.at(7) == "datapool/docs:<0xfffffffffffffffd>");
  CHECK(pool.message == "ZFS-8000-8A");
  CHECK(pool.status ==
        "One or more devices has experienced an error resulting in data corruption. Applications "
        "may be affected.");
  CHECK(pool.vdevs.at(3).checksum_errors == 486);
  CHECK(pool.scans.at(0).state == "finished");
  CHECK(pool.scans.at(0).errors == 80);
}

TEST_CASE("zpool status: errors without a list are counted", "[agent][zfs]") {
  const auto pool = from_text("2.3.9/zpool-status-x-fatal.txt").at(0);

  CHECK(pool.data_errors == 70);
  CHECK(pool.damaged.empty());
}

TEST_CASE("zpool status: an announced but empty list of errors is not zero errors",
          "[agent][zfs]") {
  auto text = transcript("zfs/2.3.9/scrub-fatal.txt").out;
  text.resize(text.find("        /datapool"));

  CHECK_FALSE(must(parse_status_text(text)).at(0).data_errors);
}

TEST_CASE("zpool status: JSON and text tell the same", "[agent][zfs]") {
  const auto text = from_text("2.3.9/scrub-fatal.txt").at(0);
  const auto json = from_json("2.3.9/scrub-fatal-j.txt").at(0);

  CHECK(json.guid == 2617305587654582695);
  CHECK(json.data_errors == 70);
  CHECK(json.status == text.status);
  CHECK(json.action == text.action);
  CHECK(json.message == text.message);
  CHECK(json.scans.at(0).errors == text.scans.at(0).errors);
  CHECK(json.scans.at(0).function == "scrub");
  CHECK(json.scans.at(0).ended.unix_millis == 1795372317000);
  REQUIRE(json.vdevs.size() == text.vdevs.size());
  for (std::size_t i = 0; i < json.vdevs.size(); ++i) {
    CHECK(json.vdevs[i].kind == text.vdevs[i].kind);
    CHECK(json.vdevs[i].parent == text.vdevs[i].parent);
    CHECK(json.vdevs[i].checksum_errors == text.vdevs[i].checksum_errors);
  }
  CHECK(json.vdevs.at(2).path == "/dev/disk/by-id/virtio-d0-part1");
  CHECK(json.vdevs.at(2).guid == 3934377746671697566);
}

TEST_CASE("zpool status: JSON without integers is read too", "[agent][zfs]") {
  const auto pools = from_json("2.3.9/zpool-status-j.txt");

  REQUIRE(pools.size() == 2);
  CHECK(pools[0].data_errors == 0);
  CHECK(pools[1].vdevs.at(1).kind == "mirror");
}

TEST_CASE("zpool status: an offline disk shows in JSON and text", "[agent][zfs]") {
  CHECK(from_json("2.3.9/zpool-status-j-offline.txt").at(0).vdevs.at(5).state == "OFFLINE");
  CHECK(from_text("2.1.11/zpool-status-offline.txt").at(0).vdevs.at(3).state == "OFFLINE");
  CHECK(from_text("2.1.11/zpool-status-offline.txt").at(0).state == "DEGRADED");
}

TEST_CASE("zpool status: a running and a canceled scrub are told apart", "[agent][zfs]") {
  const auto old_version = from_text("2.1.11/zpool-scrub-running.txt");
  const auto new_version = from_text("2.3.9/zpool-scrub-running.txt");

  CHECK(old_version.at(0).scans.at(0).state == "scanning");
  CHECK(old_version.at(0).scans.at(0).started.words == "Sun Nov 22 17:59:08 2026");
  CHECK(old_version.at(1).scans.at(0).state == "canceled");
  CHECK(new_version.at(0).scans.at(0).state == "scanning");
  CHECK(new_version.at(1).scans.at(0).state == "finished");
}

TEST_CASE("zpool status: every recorded text is understood", "[agent][zfs]") {
  const auto* version = GENERATE("2.1.11", "2.3.9");
  const auto* name = GENERATE("online", "replace", "scrub-fatal", "zpool-status", "zpool-status-Pv",
                              "zpool-status-cksum", "zpool-status-pLP", "zpool-status-x-cksum",
                              "zpool-status-x-offline");

  auto pools = from_text(fmt::format("{}/{}.txt", version, name));

  for (const auto& pool : pools) {
    CHECK(pool.data_errors.has_value());
    CHECK(pool.vdevs.size() >= 4);
    for (const auto& scan : pool.scans) CHECK(scan.state == "finished");
  }
}

TEST_CASE("zpool status: a pool whose resilver was followed by a scrub is read", "[agent][zfs]") {
  const auto pool = from_text("2.3.9/scrub-after-online-oddity.txt").at(0);

  CHECK(pool.data_errors.has_value());
  CHECK(pool.vdevs.size() >= 4);
}

TEST_CASE("zpool status: classes, spares, a replaced disk and a name with a blank",
          "[agent][zfs]") {
  const auto pool = must(parse_status_text(classes)).at(0);

  CHECK(pool.name == "my tank");
  CHECK(pool.scans.at(0).function == "resilver");
  CHECK(pool.scans.at(0).state == "scanning");
  REQUIRE(pool.vdevs.size() == 12);
  CHECK(pool.vdevs[0].name == "my tank");
  CHECK(pool.vdevs[1].kind == "draid2");
  CHECK(pool.vdevs[3].kind == "spare");
  CHECK(pool.vdevs[3].checksum_errors == 12345678);
  CHECK(pool.vdevs[4].path == "/dev/disk/by-id/ata-B_2-part1");
  CHECK(pool.vdevs[4].kind == "disk");
  CHECK(pool.vdevs[4].parent == 3);
  CHECK(pool.vdevs[5].note == "(resilvering)");
  CHECK(pool.vdevs[6].role == "special");
  CHECK(pool.vdevs[6].parent == 0);
  CHECK(pool.vdevs[7].checksum_errors == 3);
  CHECK(pool.vdevs[8].role == "log");
  CHECK(pool.vdevs[9].role == "cache");
  CHECK(pool.vdevs[9].kind == "file");
  CHECK(pool.vdevs[10].state == "INUSE");
  CHECK(pool.vdevs[10].note == "currently in use");
  CHECK(pool.vdevs[11].kind == "dspare");
}

TEST_CASE("zpool status: scrubs of errors, checkpoints and warnings are read", "[agent][zfs]") {
  auto text = transcript("zfs/2.1.11/zpool-status-offline.txt").out;
  text.insert(text.find("config:"),
              " scrub: scrubbed 3 error blocks in 0 days 00:00:01 on Sun Nov 22 18:23:47 2026\n"
              "    scan warning: skipped blocks that are only referenced by the checkpoint.\n"
              "remove: Removal of vdev 1 copied 1.2G in 0h1m, completed on Sun Nov 22 2026\n"
              "\t120 memory used for removed device mappings\n"
              "checkpoint: created Sun Nov 22 18:00:00 2026, consumes 12K\n");

  const auto pool = must(parse_status_text(text)).at(0);

  CHECK(pool.scans.at(0).function == "errorscrub");
  CHECK(pool.scans.at(0).state == "finished");
  CHECK(pool.scans.at(0).ended.words == "Sun Nov 22 18:23:47 2026");
  CHECK(pool.notices.find("120 memory used for removed device mappings; checkpoint: created") !=
        std::string::npos);
  CHECK(pool.vdevs.size() == 6);
}

TEST_CASE("zpool status: no pools is an answer", "[agent][zfs]") {
  CHECK(must(parse_status_text("no pools available\n")).empty());
  CHECK(must(parse_status_json(R"({"output_version":{},"pools":{}})")).empty());
}

TEST_CASE("zpool status: what is not understood is an error", "[agent][zfs]") {
  CHECK_FALSE(parse_status_text(wide));
  CHECK_FALSE(parse_status_text("hello\n"));
  CHECK_FALSE(parse_status_text("  pool: tank\n state: ONLINE\n"));
  CHECK_FALSE(parse_status_text("  pool: tank\n state: ONLINE\nconfig:\n\n\ttank ONLINE x\nboo\n"));
  CHECK_FALSE(parse_status_json(""));
  CHECK_FALSE(parse_status_json("{}"));
  CHECK_FALSE(parse_status_json(R"({"pools":{"a":{"name":"a"}}})"));
}

TEST_CASE("zpool status: a text cut anywhere never gains or loses pools silently", "[agent][zfs]") {
  const auto whole = transcript("zfs/2.3.9/zpool-status-pLP.txt").out;

  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto pools = parse_status_text(whole.substr(0, size));
    if (!pools) continue;
    for (const auto& pool : *pools) CHECK_FALSE(pool.vdevs.empty());
  }
}

TEST_CASE("zpool status: arbitrary bytes do no harm", "[agent][zfs]") {
  std::mt19937 random(7);
  const auto text = classes + wide;
  const auto json = transcript("zfs/2.3.9/scrub-fatal-j.txt").out;

  for (int round = 0; round < 2000; ++round) {
    auto broken_text = text;
    auto broken_json = json;
    for (int i = 0; i < 8; ++i) {
      broken_text[random() % broken_text.size()] = static_cast<char>(random());
      broken_json[random() % broken_json.size()] = static_cast<char>(random());
    }
    CHECK_NOTHROW(static_cast<void>(parse_status_text(broken_text)));
    CHECK_NOTHROW(static_cast<void>(parse_status_json(broken_json)));
  }
}

TEST_CASE("zpool import: both versions' lists are read", "[agent][zfs]") {
  const auto old_version = from_text("2.1.11/zpool-import-list.txt");
  // The recorded command printed the hostid first.
  const auto recorded = transcript("zfs/2.3.9/import-foreign-list.txt").out;
  const auto new_version = must(parse_status_text(recorded.substr(recorded.find('\n') + 1)));

  CHECK(old_version.at(0).guid == 8969945171242582480);
  CHECK(old_version.at(0).vdevs.at(5).name == "virtio-d3");
  REQUIRE(new_version.size() == 2);
  CHECK(new_version[1].guid == 2617305587654582695);
  CHECK(new_version[1].status == "The pool was last accessed by another system.");
  CHECK(new_version[1].vdevs.size() == 6);
}

TEST_CASE("zpool import: missing devices, spares and cache are read", "[agent][zfs]") {
  const auto pool = must(parse_status_text("   pool: tank\n     id: 42\n  state: UNAVAIL\n"
                                           " status: One or more devices are missing.\n"
                                           " config:\n\n"
                                           "\ttank         UNAVAIL  insufficient replicas\n"
                                           "\t  raidz1-0   UNAVAIL  insufficient replicas\n"
                                           "\t    sdb      ONLINE\n"
                                           "\t    123456   UNAVAIL  cannot open\n"
                                           "\tcache\n\t  sdc\n"
                                           "\n\tAdditional devices are known to be part of this "
                                           "pool, though their\n\texact configuration cannot be "
                                           "determined.\n"))
                        .at(0);

  CHECK(pool.vdevs.at(0).note == "insufficient replicas");
  CHECK(pool.vdevs.at(3).note == "cannot open");
  CHECK(pool.vdevs.at(4).role == "cache");
  CHECK(pool.notices == "additional devices are known to be part of this pool");
}

TEST_CASE("zpool status -g: GUIDs are taken only where the layouts agree", "[agent][zfs]") {
  auto vdevs = must(parse_status_text(classes)).at(0).vdevs;
  auto guids = vdevs;
  for (std::size_t i = 0; i < guids.size(); ++i) guids[i].name = std::to_string(100 + i);

  CHECK(take_guids(vdevs, guids));
  CHECK(vdevs[3].guid == 103);
  guids.pop_back();
  CHECK_FALSE(take_guids(vdevs, guids));
}

TEST_CASE("zfs scan: each kind of line is told apart", "[agent][zfs]") {
  const auto [words, function, state] = GENERATE(table<const char*, const char*, const char*>(
      {{"scrub repaired 0B in 1 days 02:03:04 with 0 errors on Sun Nov  1 00:24:03 2026", "scrub",
        "finished"},
       {"resilvered (mirror-0) 1.2G in 00:00:01 with 0 errors on Sun Nov 22 18:23:47 2026",
        "rebuild", "finished"},
       {"resilver (mirror-0) in progress since Sun Nov 22 18:23:47 2026", "rebuild", "scanning"},
       {"resilver canceled on Sun Nov 22 18:23:47 2026", "resilver", "canceled"},
       {"scrub paused since Sun Nov 22 18:23:47 2026\n\tscrub started on Sun Nov 22 18:00:00 2026",
        "scrub", "paused"},
       {"thorough scrub in progress since Sun Nov 22 18:23:47 2026", "scrub", "scanning"},
       {"error scrub repaired all", "errorscrub", "unknown"},
       {"scrub repaired 0B in 00:00:01 with many errors on Sunday", "scrub", "unknown"},
       {"something new", "unknown", "unknown"}}));

  const auto scan = parse_scan(words);

  REQUIRE(scan);
  CHECK(scan->function == function);
  CHECK(scan->state == state);
  CHECK_FALSE(parse_scan("none requested"));
}

}  // namespace relab::agent::zfs
