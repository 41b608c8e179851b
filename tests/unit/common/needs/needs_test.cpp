// What evidence shows that a disk may be wiped.

#include "common/needs/needs.h"

#include <capnp/schema.h>

#include "common/reflect/notes.h"
#include "common/wire/message.h"
#include "tests/support/must.h"

namespace relab::needs {

namespace {

using std::chrono::hours;

constexpr auto one_disk =
    R"("disks": [{"name": "sdb", "serial": "OLD1", "model": "WDC", "size": "2000000000000",
                  "byId": "ata-WDC_OLD1"}, {"name": "sda", "serial": "SYS1"}])";

std::string facts_with(const std::string& rest) { return R"({"auditDisks": {)" + rest + "}}"; }

/// A report about two disks, an hour's limit away from being stale.
struct Case {
  Message<schema::Task> task =
      must(Message<schema::Task>::from_json(R"({"wipeDisk": {"serial": "OLD1"}})"));
  std::string facts = facts_with(one_disk);
  std::string lab = "home";
  std::string machine = "m1";
  schema::Outcome outcome = schema::Outcome::SUCCEEDED;
  Millis age = hours(1);

  Opinion judge() const {
    Draft<schema::Report> report;
    report->setLab("home");
    report->setMachineId("m1");
    report->setOutcome(outcome);
    report->setFacts(must(Message<schema::Facts>::from_json(facts)).reader());
    const auto now = instant_of(1'790'000'000'000);
    return needs::judge(*find("disk.unused"), task.reader(), report->asReader(),
                        {.lab = lab, .machine_id = machine, .taken = now - age, .now = now});
  }
};

}  // namespace

TEST_CASE("needs: every need of a task kind is known, and shown by a kind that exists",
          "[common][needs]") {
  std::size_t used = 0;
  for (const auto kind : reflect::choices(capnp::Schema::from<schema::Task>())) {
    const auto notes = reflect::notes_of(kind);
    // What destroys without evidence could not be approved: there is nothing to look at.
    if (notes.destructive) CHECK_FALSE(notes.needs.empty());
    for (const auto& name : notes.needs) {
      INFO(name);
      REQUIRE(find(name) != nullptr);
      ++used;
      CHECK(capnp::Schema::from<schema::Facts>().findFieldByName(
                kj::StringPtr(std::string(find(name)->arm).c_str())) != nullptr);
    }
  }
  CHECK(used != 0);
  CHECK(find("disk.unusable") == nullptr);
}

TEST_CASE("needs: a disk that nothing uses", "[common][needs]") {
  Case good;
  CHECK(good.judge().met());

  good.facts = facts_with(std::string(one_disk) + R"(, "users": [
    {"disk": "sdb", "device": "sdb1", "kind": "filesystem", "name": "ext4 old"},
    {"disk": "sda", "device": "sda3", "kind": "zfs", "name": "rpool"}])");
  CHECK(good.judge().met());
}

TEST_CASE("needs: a disk that anything uses is not unused", "[common][needs]") {
  Case used;
  const auto* kind = GENERATE("zfs", "mount", "swap", "lvm", "md", "crypt", "ceph", "new");
  used.facts = facts_with(
      std::string(one_disk) +
      R"(, "users": [{"disk": "sdb", "device": "sdb1", "name": "tank", "kind": ")" + kind + "\"}]");

  CHECK(used.judge().standing == Standing::unmet);
  CHECK(used.judge().why ==
        std::string("the disk OLD1 is used: sdb1 belongs to ") + kind + " tank");
}

TEST_CASE("needs: there must be exactly one such disk, and all must have been read",
          "[common][needs]") {
  Case odd;
  odd.facts = GENERATE(
      as<std::string>(), R"({"auditDisks": {}})", facts_with(R"("disks": [{"serial": "OLD2"}])"),
      facts_with(R"("disks": [{"serial": "OLD1"}, {"serial": "OLD1"}])"),
      facts_with(std::string(one_disk) +
                 R"(, "coverage": {"problems": [{"part": "sdc", "why": "it hangs"}]})"),
      facts_with(std::string(one_disk) + R"(, "coverage": {"absent": "no lsblk"})"));

  CHECK(odd.judge().standing == Standing::unmet);
}

TEST_CASE("needs: a task without a serial number means no disk", "[common][needs]") {
  Case nameless;
  nameless.task = must(Message<schema::Task>::from_json(R"({"wipeDisk": {}})"));
  nameless.facts = facts_with(R"("disks": [{"name": "vda"}])");

  CHECK(nameless.judge().standing == Standing::unmet);
}

TEST_CASE("needs: evidence grows old, and cannot come from the future", "[common][needs]") {
  Case late;
  late.age = hours(1) + Millis(1);
  CHECK(late.judge().standing == Standing::stale);
  late.age = Millis(-1);
  CHECK(late.judge().standing == Standing::stale);
}

TEST_CASE("needs: what is of another lab, machine or kind, or failed, is no evidence",
          "[common][needs]") {
  Case foreign;
  SECTION("lab") { foreign.lab = "another"; }
  SECTION("machine") { foreign.machine = "m2"; }
  SECTION("no machine") { foreign.machine = ""; }
  SECTION("kind") { foreign.facts = R"({"auditZfs": {}})"; }
  SECTION("outcome") {
    foreign.outcome = GENERATE(schema::Outcome::FAILED, schema::Outcome::UNSET);
  }

  CHECK(foreign.judge().standing == Standing::nothing);
}

TEST_CASE("needs: what would be destroyed is told by serial, model and size", "[common][needs]") {
  const Case one;
  const auto facts = must(Message<schema::Facts>::from_json(facts_with(
      std::string(one_disk) +
      R"(, "users": [{"disk": "sdb", "device": "sdb1", "kind": "filesystem", "name": "ext4 old"}])")));

  CHECK(victims(one.task.reader(), facts.reader()) ==
        std::vector<std::string>{"disk OLD1: WDC, 1.8 TiB, ata-WDC_OLD1, with ext4 old on sdb1"});
}

}  // namespace relab::needs
