// The steps of the phase that backs a pool up to a USB disk, by the real task kinds.

#include "agent/kinds/zfs/backup.h"

#include <algorithm>
#include <chrono>

#include "agent/kinds/disks/usb_disk.h"
#include "agent/kinds/disks/wipe.h"
#include "agent/kinds/zfs/health.h"
#include "agent/kinds/zfs/key_check.h"
#include "agent/kinds/zfs/scrub.h"
#include "agent/kinds/zfs/snapshot.h"
#include "agent/kinds/zfs/verify.h"
#include "tests/unit/sim/storage/kinds.h"

namespace relab::agent::sim {

namespace {

Result<Message<zfs::ZfsBackupVerify::Facts>> verify(SimHost& host) {
  const auto params = must(Message<schema::ZfsBackupVerify>::from_json(
      R"({"dataset": "datapool", "snapshot": "pre-rebuild", "folder": "/mnt/usb",
          "name": "copy", "key": "datapool-key"})"));
  RELAB_TRY(const auto facts, zfs::ZfsBackupVerify::observe(params.reader(), host));
  RELAB_CHECK(zfs::ZfsBackupVerify::intends(params.reader(), facts.reader()));
  return zfs::ZfsBackupVerify::attempt(params.reader(), facts.reader(),
                                       {.host = host, .rescue = host});
}

constexpr const char* disk =
    R"({"serial": "NAAB0001", "folder": "/mnt/usb", "format": true, "least": "7000000000000"})";
constexpr const char* snapshot = R"({"dataset": "datapool", "name": "pre-rebuild"})";
constexpr const char* backup =
    R"({"dataset": "datapool", "snapshot": "pre-rebuild", "folder": "/mnt/usb", "name": "copy"})";

/// With the disk formatted and mounted, and the snapshot taken.
struct Prepared : Z640Machine {
  explicit Prepared(const std::string& version = "2.3.9-0+deb13u1") : Z640Machine(version) {
    must(storage.plug("NAAB0001"));
    must(carry_out<disks::UsbDisk>(host, disk));
    must(carry_out<zfs::ZfsSnapshot>(host, snapshot));
  }
};

}  // namespace

TEST_CASE("sim storage: a scrub takes hours and ends", "[agent][sim][storage]") {
  const auto* version = GENERATE("2.3.9-0+deb13u1", "2.1.11-1");
  Z640Machine machine(version);
  const auto began = machine.host.now();

  const auto facts =
      must(carry_out<zfs::ZfsScrub>(machine.host, R"({"pool": "datapool", "maxAge": 604800})"));

  CHECK(facts.reader().getRecent());
  CHECK(machine.host.now() - began > std::chrono::hours(1));
  CHECK(machine.host.now() - began < std::chrono::hours(24));
  const auto health = must(probe<zfs::PoolHealth>(machine.host, R"({"pool": "datapool"})"));
  CHECK(health.reader().getIntact());
  CHECK(machine.host.unknown() == std::set<std::string>());
}

TEST_CASE("sim storage: any key but none opens a pool", "[agent][sim][storage]") {
  Z640Machine machine;
  const std::string wish = R"({"dataset": "datapool/media", "key": "datapool-key"})";

  CHECK(must(probe<zfs::ZfsKeyCheck>(machine.host, wish)).reader().getProven());
  machine.host.secret("datapool-key", "");
  CHECK_FALSE(must(probe<zfs::ZfsKeyCheck>(machine.host, wish)).reader().getProven());
}

TEST_CASE("sim storage: a blank USB disk is formatted and mounted", "[agent][sim][storage]") {
  Z640Machine machine;
  must(machine.storage.plug("NAAB0001"));

  const auto facts = must(carry_out<disks::UsbDisk>(machine.host, disk));

  CHECK(view(facts.reader().getFileSystem()) == "ext4");
  CHECK(facts.reader().getFree() > 7 * Z640::tera);
  CHECK(machine.host.unknown() == std::set<std::string>());
}

TEST_CASE("sim storage: a disk that nothing uses is wiped", "[agent][sim][storage]") {
  Z640Machine machine;
  must(machine.storage.plug("NAAB0001"));
  must(carry_out<disks::UsbDisk>(machine.host, disk));
  const std::string wish = R"({"serial": "NAAB0001"})";
  CHECK_FALSE(carry_out<disks::WipeDisk>(machine.host, wish));
  CHECK(must(machine.host.run({.argv = {"umount", "/mnt/usb"}})).status == 0);

  CHECK(must(carry_out<disks::WipeDisk>(machine.host, wish)).reader().getSignatures().size() == 0);
}

TEST_CASE("sim storage: a pool on a disk that was wiped is gone", "[agent][sim][storage]") {
  Z640Machine machine("2.3.9-0+deb13u1", Usb::pool);
  must(machine.storage.plug("NAAB0001"));
  const Command look{.argv = {"zpool", "import"}};
  CHECK(must(machine.host.run(look)).out.find("usbpool") != std::string::npos);

  CHECK(must(machine.host.run({.argv = {"wipefs", "--all", "--lock", "/dev/sdg1"}})).status == 0);

  CHECK(must(machine.host.run(look)).err == "no pools available to import\n");
}

TEST_CASE("sim storage: a disk with a pool on it is not wiped", "[agent][sim][storage]") {
  Z640Machine machine;

  const auto wiped = must(machine.host.run({.argv = {"wipefs", "--all", "--lock", "/dev/sdc1"}}));

  CHECK(wiped.status == 1);
  CHECK(wiped.err.find("busy") != std::string::npos);
}

TEST_CASE("sim storage: a pool is backed up in hours, and the backup is verified",
          "[agent][sim][storage]") {
  const auto* version = GENERATE("2.3.9-0+deb13u1", "2.1.11-1");
  Prepared machine(version);
  const auto began = machine.host.now();

  const auto written = must(carry_out<zfs::ZfsBackup>(machine.host, backup));

  CHECK(written.reader().getState() == schema::ZfsBackup::State::COMPLETE);
  CHECK(written.reader().getEstimate() > 17 * Z640::tera / 10);
  CHECK(written.reader().getFree() < 63 * Z640::tera / 10);
  CHECK(machine.host.now() - began > std::chrono::hours(3));
  CHECK(machine.host.now() - began < std::chrono::hours(24));

  const auto verified = must(verify(machine.host));

  const auto facts = verified.reader();
  CHECK(facts.getReadBack());
  CHECK(facts.getDrill().getDone());
  REQUIRE(facts.getDrill().getDatasets().size() == 4);
  CHECK(facts.getDrill().getDatasets()[1].getEntries() == 1);
  CHECK(machine.storage.pools().dataset("datapool/relab-drill") == nullptr);
  CHECK(machine.host.unknown() == std::set<std::string>());
}

TEST_CASE("sim storage: a disk that fills up never holds a backup", "[agent][sim][storage]") {
  Prepared machine;
  must(machine.storage.fill("NAAB0001", 2 * Z640::tera));
  const auto params = must(Message<schema::ZfsBackup>::from_json(backup));
  const auto before = must(zfs::ZfsBackup::observe(params.reader(), machine.host));
  const auto changes = must(zfs::ZfsBackup::plan(params.reader(), before.reader()));
  must(machine.storage.fill("NAAB0001", Z640::tera));

  const auto applied = zfs::ZfsBackup::apply(changes.at(0), machine.host);

  CHECK_FALSE(applied);
  CHECK(applied.error().fault == Fault::busy);
  const auto after = must(zfs::ZfsBackup::observe(params.reader(), machine.host));
  CHECK(after.reader().getState() == schema::ZfsBackup::State::NONE);
  CHECK_FALSE(zfs::ZfsBackup::plan(params.reader(), after.reader()));
}

TEST_CASE("sim storage: a disk that was said to be full is so once it is mounted",
          "[agent][sim][storage]") {
  Z640Machine machine;
  must(machine.storage.fill("NAAB0001", Z640::tera));
  must(machine.storage.plug("NAAB0001"));

  const auto facts = must(carry_out<disks::UsbDisk>(machine.host, disk));

  CHECK(facts.reader().getFree() == Z640::tera);
  must(carry_out<zfs::ZfsSnapshot>(machine.host, snapshot));
  CHECK_FALSE(carry_out<zfs::ZfsBackup>(machine.host, backup));
}

TEST_CASE("sim storage: a disk that breaks while it is written never holds a backup",
          "[agent][sim][storage]") {
  Prepared machine;
  must(machine.storage.fail_disk_after("NAAB0001", Z640::tera));

  const auto written = carry_out<zfs::ZfsBackup>(machine.host, backup);

  CHECK_FALSE(written);
  CHECK_FALSE(probe<zfs::ZfsBackup>(machine.host, backup));
}

TEST_CASE("sim storage: a pool that loses one disk is degraded, and is backed up",
          "[agent][sim][storage]") {
  Prepared machine;
  must(machine.storage.fail_disk("ZDH1A002"));

  const auto health = must(probe<zfs::PoolHealth>(machine.host, R"({"pool": "datapool"})"));

  CHECK_FALSE(health.reader().getIntact());
  CHECK(health.reader().getOnlyDegraded());
  CHECK(must(carry_out<zfs::ZfsBackup>(machine.host, backup)).reader().getState() ==
        schema::ZfsBackup::State::COMPLETE);
}

TEST_CASE("sim storage: a pool that is lost while it is sent is never backed up",
          "[agent][sim][storage]") {
  const auto* version = GENERATE("2.3.9-0+deb13u1", "2.1.11-1");
  Prepared machine(version);
  for (const auto* serial : {"ZDH1A001", "ZDH1A002", "ZDH1A003"})
    must(machine.storage.fail_disk_at(serial, machine.host.now() + std::chrono::minutes(30)));

  const auto written = carry_out<zfs::ZfsBackup>(machine.host, backup);

  CHECK_FALSE(written);
  const auto health = must(probe<zfs::PoolHealth>(machine.host, R"({"pool": "datapool"})"));
  CHECK(view(health.reader().getPool().getState()) == "SUSPENDED");
  CHECK_FALSE(health.reader().getOnlyDegraded());
  CHECK_FALSE(machine.host.status("/mnt/usb/copy.zfs"));
}

TEST_CASE("sim storage: what it does not know it says", "[agent][sim][storage]") {
  Z640Machine machine;

  const auto answer = machine.host.run({.argv = {"zfs", "rename", "datapool/a", "datapool/b"}});

  CHECK_FALSE(answer);
  CHECK(machine.host.unknown() == std::set<std::string>{"zfs rename datapool/a datapool/b"});
}

}  // namespace relab::agent::sim
