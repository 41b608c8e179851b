#include "agent/kinds/disks/wipe.h"

#include "agent/kinds/carry_out.h"
#include "tests/support/evidence.h"
#include "tests/support/must.h"
#include "tests/support/sim_disk.h"

namespace relab::agent::disks {

namespace {

/// A machine with one disk, which is to be wiped.
struct Machine {
  Machine() {
    disk.install(host);
    evidence = look();
  }
  Bytes look() { return report_on_disks(host); }
  Work work(schema::Mode mode = schema::Mode::APPLY) {
    Draft<schema::Order> order;
    order->setMode(mode);
    order->initTask().initWipeDisk().setSerial("OLD1");
    if (!evidence.empty()) order->initEvidence(1).set(0, blob(evidence));
    return carry_out(order->asReader(), {.host = host, .rescue = host},
                     [](const auto& /*facts*/) { return Result<void>(); });
  }
  bool wiped_anything() const {
    return std::ranges::any_of(
        host.ran(), [](const std::string& command) { return command.starts_with("wipefs --all"); });
  }

  SimHost host;
  SimDisk disk;
  /// What the order brings along.
  Bytes evidence;
};

}  // namespace

TEST_CASE("wipe disk: partitions first, then the disk, and then it is blank", "[agent][disks]") {
  Machine machine;

  const auto work = machine.work();

  CHECK(work.outcome == schema::Outcome::SUCCEEDED);
  CHECK(work.changes == std::vector<std::string>{"- ext4 old on sdb1 of the disk OLD1",
                                                 "- gpt on sdb of the disk OLD1"});
  CHECK(machine.disk.blank());
  REQUIRE(work.facts);
  CHECK(work.facts->reader().getWipeDisk().getSignatures().size() == 0);
}

TEST_CASE("wipe disk: what came onto the disk since it was looked at is left alone",
          "[agent][disks]") {
  Machine machine;
  std::string what;
  SECTION("another file system in the place of the one that was there") {
    machine.disk.uuid = "1a5f";
    what = "ext4 old on sdb1";
  }
  SECTION("one more signature") {
    machine.disk.signatures["sdb1"].push_back("vfat");
    what = "vfat old on sdb1";
  }
  SECTION("a file system where there was a table") {
    machine.disk.signatures["sdb"] = {"ext4"};
    what = "ext4 on sdb";
  }

  const auto work = machine.work();

  CHECK(work.outcome == schema::Outcome::REFUSED);
  CHECK(work.failure.what ==
        "it is not as the evidence shows it: " + what + " was not there then, or not this one");
  CHECK(work.facts);
  CHECK_FALSE(machine.wiped_anything());

  machine.evidence = machine.look();
  if (what != "vfat old on sdb1") CHECK(machine.work().outcome != schema::Outcome::REFUSED);
}

TEST_CASE("wipe disk: what was not looked at is left alone", "[agent][disks]") {
  Machine machine;
  SECTION("no evidence") { machine.evidence.clear(); }
  SECTION("evidence of another disk") {
    machine.disk.serial = "OLD2";
    machine.evidence = machine.look();
    machine.disk.serial = "OLD1";
  }
  SECTION("no report") { machine.evidence = {1, 2, 3}; }

  CHECK(machine.work().outcome != schema::Outcome::SUCCEEDED);
  CHECK_FALSE(machine.wiped_anything());
}

TEST_CASE("wipe disk: a disk that has another name now is the same disk", "[agent][disks]") {
  Machine machine;
  const auto facts = [&](const char* name) {
    Draft<schema::Facts> draft;
    auto audit = draft->initAuditDisks();
    auto disk = audit.initDisks(1)[0];
    disk.setName(name);
    disk.setSerial("OLD1");
    disk.setSize(4000);
    disk.setPartitionTable("gpt");
    auto part = audit.initPartitions(1)[0];
    part.setDisk(name);
    part.setName(std::string(name) + "1");
    part.setSize(3000);
    part.setFileSystem("ext4");
    part.setLabel("old");
    part.setUuid(machine.disk.uuid);
    return std::move(draft).finish();
  };
  Draft<schema::WipeDisk> params;
  params->setSerial("OLD1");
  const auto now = must(WipeDisk::observe(params->asReader(), machine.host));

  CHECK(WipeDisk::departs(params->asReader(), now.reader(), facts("sdq").reader()).empty());
  auto smaller = Draft<schema::Facts>(facts("sdb").reader());
  smaller->getAuditDisks().getDisks()[0].setSize(5000);
  CHECK_FALSE(WipeDisk::departs(params->asReader(), now.reader(), smaller->asReader()).empty());
  auto moved = Draft<schema::Facts>(facts("sdb").reader());
  moved->getAuditDisks().getPartitions()[0].setStart(2048);
  CHECK_FALSE(WipeDisk::departs(params->asReader(), now.reader(), moved->asReader()).empty());
}

TEST_CASE("wipe disk: one that is used is refused, and nothing is touched", "[agent][disks]") {
  Machine machine;
  machine.disk.member =
      GENERATE("zfs_member", "LVM2_member", "linux_raid_member", "crypto_LUKS", "swap", "ext4");
  if (machine.disk.member == "ext4") machine.disk.mountpoint = "/mnt/old";

  const auto work = machine.work();

  CHECK(work.outcome == schema::Outcome::REFUSED);
  CHECK_THAT(work.failure.what, Catch::StartsWith("the disk OLD1 is not wiped: sdb1 belongs to "));
  CHECK_FALSE(machine.wiped_anything());
}

TEST_CASE("wipe disk: a disk that is not there is not blank", "[agent][disks]") {
  Machine machine;
  machine.disk.serial = "OLD2";

  const auto work = machine.work();

  CHECK(work.outcome == schema::Outcome::FAILED);
  CHECK(work.failure.what == "there is no disk with the serial number OLD1");
}

TEST_CASE("wipe disk: another disk may have come under its name meanwhile", "[agent][disks]") {
  Machine machine;
  machine.disk.serial = "OLD2";

  const auto applied =
      WipeDisk::apply({.what = "- gpt on sdb", .how = {"/dev/sdb", "OLD1"}}, machine.host);

  CHECK(applied.error().fault == Fault::conflict);
  CHECK_FALSE(machine.wiped_anything());
}

TEST_CASE("wipe disk: it may be used by the time that it is its turn", "[agent][disks]") {
  Machine machine;
  machine.disk.mountpoint = "/mnt/new";

  const auto applied =
      WipeDisk::apply({.what = "- gpt on sdb", .how = {"/dev/sdb", "OLD1"}}, machine.host);

  CHECK(applied.error().fault == Fault::refused);
  CHECK_FALSE(machine.wiped_anything());
}

TEST_CASE("wipe disk: what wipefs does not do is a failure, whatever it exits with",
          "[agent][disks]") {
  Machine machine;
  const auto status = GENERATE(0, 1);
  machine.host.answer("wipefs --all --lock /dev/sdb",
                      {.status = status, .err = "probing initialization failed: busy"});

  const auto work = machine.work();

  CHECK(work.outcome == schema::Outcome::FAILED);
}

TEST_CASE("wipe disk: what cannot be looked at is a failure", "[agent][disks]") {
  Machine machine;
  machine.host.answer(
      "wipefs --no-act --json /dev/sdb1 /dev/sdb",
      GENERATE(Output{.status = 1, .err = "no such device"}, Output{.out = "{\"signatures\": ["},
               Output{.out = "{}"}, Output{.out = R"({"signatures": [{"device": "sdb"}]})"}));

  CHECK(machine.work().outcome == schema::Outcome::FAILED);
  CHECK_FALSE(machine.wiped_anything());
}

TEST_CASE("wipe disk: what wipefs 2.38 prints is read", "[agent][disks]") {
  const auto read = must(parse_signatures(R"({
   "signatures": [
      {
         "device": "d.img",
         "offset": "0x438",
         "type": "ext4",
         "uuid": "9593be6b-0209-4b4c-be7a-0d800a31a8a1",
         "label": null
      }
   ]
}
)"));

  CHECK(read == std::vector<Signature>{{.device = "d.img",
                                        .type = "ext4",
                                        .offset = "0x438",
                                        .uuid = "9593be6b-0209-4b4c-be7a-0d800a31a8a1"}});
  CHECK(must(parse_signatures("\n")).empty());
}

}  // namespace relab::agent::disks
