#include "agent/kinds/zfs/pool_verify.h"

#include <algorithm>

#include "agent/kinds/zfs/pool_backup.h"
#include "tests/support/faulty_host.h"
#include "tests/support/must.h"
#include "tests/support/sim_pools.h"

namespace relab::agent::zfs {

namespace {

/// With a good copy in the second pool.
struct Machine {
  Machine() {
    pool.install(host);
    second.install(host);
    const auto copy = must(Message<schema::ZfsPoolBackup>::from_json(
        R"({"dataset": "datapool", "snapshot": "daily", "target": "usbpool/copy"})"));
    const auto seen = must(ZfsPoolBackup::observe(copy.reader(), host));
    for (const auto& change : must(ZfsPoolBackup::plan(copy.reader(), seen.reader())))
      must(ZfsPoolBackup::apply(change, host));
    digest = str(must(ZfsPoolBackup::observe(copy.reader(), host)).reader().getCopyDigest());
  }

  Message<schema::ZfsPoolBackupVerify> wish() const {
    return must(Message<schema::ZfsPoolBackupVerify>::from_json(
        R"({"dataset": "datapool", "snapshot": "daily", "target": "usbpool/copy")" + more + "}"));
  }
  /// As the agent does it.
  Result<Message<ZfsPoolBackupVerify::Facts>> verify(Host& hands) {
    const auto params = wish();
    RELAB_TRY(const auto facts, ZfsPoolBackupVerify::observe(params.reader(), hands));
    RELAB_TRY(intentions, ZfsPoolBackupVerify::intends(params.reader(), facts.reader()));
    return ZfsPoolBackupVerify::attempt(params.reader(), facts.reader(),
                                        {.host = hands, .rescue = host});
  }
  Result<Message<ZfsPoolBackupVerify::Facts>> verify() { return verify(host); }
  /// Where the command stands among all that were run; none: -1.
  long place_of(const std::string& command) const {
    const auto& ran = host.ran();
    const auto found = std::ranges::find_if(
        ran, [&](const std::string& line) { return line.starts_with(command); });
    return found == ran.end() ? -1 : found - ran.begin();
  }

  SimHost host;
  SimZfs pool;
  SimPools second = SimPools(pool);
  std::string more = R"(, "key": "datapool-key")";
  std::string digest;
  std::vector<std::string> intentions;
};

}  // namespace

TEST_CASE("zfs pool verify: a good copy is taken away, brought back, read, opened and compared",
          "[agent][zfs]") {
  Machine machine;

  const auto found = must(machine.verify());

  const auto facts = found.reader();
  CHECK(machine.intentions.size() == 3);
  CHECK(facts.getReadBack());
  CHECK(facts.getConcerns().size() == 0);
  CHECK(facts.getScrubbedAt() / 1000 <=
        static_cast<std::uint64_t>(machine.host.now().time_since_epoch().count()) / 1000);
  CHECK(facts.getScrubbedAt() > 0);
  CHECK(facts.getPoolGuid() == 7001);
  CHECK(facts.getTargetPoolGuid() == 8001);
  CHECK(view(facts.getDiskSerial()) == "USB1");
  CHECK(view(facts.getCopyDigest()) == machine.digest);
  CHECK(facts.getDrill().getDone());
  REQUIRE(facts.getDrill().getDatasets().size() == 3);
  const auto documents = facts.getDrill().getDatasets()[1];
  CHECK(view(documents.getDataset()) == "datapool/documents");
  CHECK(documents.getConfigFiles() == 1);
  CHECK(documents.getSampled() == 1);
  CHECK(machine.second.is_clean());
  CHECK(machine.second.root_mounted);
}

TEST_CASE("zfs pool verify: the scrub is one of the pool as it came back", "[agent][zfs]") {
  Machine machine;

  must(machine.verify());

  CHECK(machine.place_of("zpool export usbpool") <
        machine.place_of("zpool import -N -d /dev/sdf1 8001"));
  CHECK(machine.place_of("zpool import -N -d /dev/sdf1 8001") <
        machine.place_of("zpool scrub usbpool"));
  CHECK(machine.place_of("zpool scrub usbpool") < machine.place_of("zfs load-key"));
  CHECK(machine.place_of("zfs mount usbpool") > 0);
}

TEST_CASE(
    "zfs pool verify: what speaks against the copy or its pool is no proof, and all is as "
    "before",
    "[agent][zfs]") {
  Machine machine;
  std::string why;
  SECTION("the scrub found errors") {
    machine.second.errors = 2;
    why = "the last scrub left 2 error(s)";
  }
  SECTION("a file") {
    machine.second.copied_letter = "derr";
    why = "letter.txt (its bytes)";
  }
  SECTION("another key") {
    machine.second.key = "another";
    why = "Incorrect key provided";
  }
  SECTION("it cannot be exported") {
    machine.second.cannot_export = "cannot export 'usbpool': pool is busy\n";
    why = "pool is busy";
  }
  SECTION("it is not whole") {
    machine.second.health = "DEGRADED";
    why = "the pool is DEGRADED";
  }

  const auto refuted = machine.verify();

  REQUIRE_FALSE(refuted);
  CHECK_THAT(refuted.error().what, Catch::Contains(why));
  CHECK(machine.second.is_clean());
  CHECK(machine.second.root_mounted);
}

TEST_CASE("zfs pool verify: a pool that does not come back is told", "[agent][zfs]") {
  Machine machine;
  machine.second.cannot_import = "cannot import: one or more devices is missing\n";

  const auto lost = machine.verify();

  CHECK_THAT(lost.error().what, Catch::Contains("'usbpool' could not be brought back as it was"));
  CHECK(lost.error().hint ==
        "look whether it is imported (zpool list), or import it: zpool import -N 8001");
}

TEST_CASE("zfs pool verify: another pool of the same name is no proof", "[agent][zfs]") {
  Machine machine;
  machine.second.comes_back = 8002;

  const auto other = machine.verify();

  CHECK_THAT(other.error().what, Catch::Contains("'usbpool' is another pool now"));
}

TEST_CASE("zfs pool verify: there has to be a complete copy", "[agent][zfs]") {
  Machine machine;
  std::string why;
  SECTION("a snapshot is missing") {
    machine.second.destroy("usbpool/copy/media@daily");
    machine.second.destroy("usbpool/copy/media");
    why = "there is no complete copy usbpool/copy";
  }
  SECTION("another one has its name") {
    machine.second.destroy("usbpool/copy/media@daily");
    machine.second.snapshot("usbpool/copy/media@daily", 5);
    why = "is another snapshot than datapool/media@daily";
  }
  SECTION("the pool is not imported") {
    machine.second.imported = false;
    why = "the pool 'usbpool' is not imported";
  }

  const auto refused = machine.verify();

  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == Fault::refused);
  CHECK_THAT(refused.error().what, Catch::Contains(why));
  CHECK(machine.place_of("zpool export") == -1);
}

TEST_CASE("zfs pool verify: a copy that nobody opened is called so", "[agent][zfs]") {
  Machine machine;
  machine.more = GENERATE("", R"(, "drill": false)");

  const auto found = must(machine.verify());

  CHECK(found.reader().getReadBack());
  CHECK_FALSE(found.reader().getDrill().getDone());
  CHECK((view(found.reader().getDrill().getWhy()) == "no key is named to open the copy") ==
        machine.more.empty());
  CHECK(machine.place_of("zfs load-key") == -1);
}

TEST_CASE("zfs pool verify: a scrub that was going on is no proof of its beginning",
          "[agent][zfs]") {
  Machine machine;
  must(machine.host.run({.argv = {"zpool", "scrub", "usbpool"}}));
  machine.second.scrub_looks = 20;

  must(machine.verify());

  CHECK(machine.place_of("zpool scrub -s usbpool") > machine.place_of("zpool import"));
}

TEST_CASE("zfs pool verify: a task that is stopped ends its scrub, and the pool is there",
          "[agent][zfs]") {
  Machine machine;
  machine.second.scrub_looks = 1000000;
  machine.host.stop_at(machine.host.now() + std::chrono::hours(1));

  CHECK(machine.verify().error().fault == Fault::cancelled);

  CHECK(machine.second.is_clean());
}

TEST_CASE("zfs pool verify: what stays open is told, however good the copy is", "[agent][zfs]") {
  Machine machine;
  machine.second.busy = true;

  CHECK_THAT(machine.verify().error().what, Catch::Contains("it could not be closed again"));
}

TEST_CASE("zfs pool verify: what a killed drill left is closed first", "[agent][zfs]") {
  Machine machine;
  must(machine.host.run(
      {.argv = {"zfs", "load-key", "usbpool/copy"}, .secret_input = "datapool-key"}));
  must(machine.host.run({.argv = {"mount", "usbpool/copy@daily", "/run/relab-drill/in-pool-1"}}));

  CHECK(must(machine.verify()).reader().getDrill().getDone());
  CHECK(machine.second.is_clean());
}

TEST_CASE("zfs pool verify: whatever fails on the way, there is no success, and the pool is there",
          "[agent][zfs]") {
  const auto how = GENERATE(Failing::error, Failing::status, Failing::cut);
  for (std::size_t n = 0;; ++n) {
    Machine machine;
    FaultyHost host(machine.host, n, how);
    const auto found = machine.verify(host);
    if (host.calls().size() <= n) break;
    if (!host.failed()) continue;
    // Without it there is no udev, and what it would tell is looked for.
    if (host.calls()[n] == "status /run/udev/data") continue;
    // How far a scrub is needs no GUIDs of disks.
    if (host.calls()[n] == "run zpool status -gp") continue;
    INFO(static_cast<int>(how) << " of " << host.calls()[n]);
    CHECK((!found || !found->reader().getDrill().getDone()));
    CHECK(machine.second.is_clean());
    CHECK(machine.second.root_mounted);
  }
}

}  // namespace relab::agent::zfs
