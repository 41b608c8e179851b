// What must outlive an installation: whatever is false about it keeps the gate shut, and is named.

#include "controller/gates/pool_proofs.h"

#include <fmt/format.h>

#include "controller/gates/key_proof.h"
#include "tests/support/records.h"

namespace relab::controller {

namespace {

constexpr auto a_lab = R"({"name": "home", "hosts": [{"name": "pve"}],
  "disks": [{"name": "os1", "serial": "OS1", "role": "os"},
            {"name": "data1", "serial": "DATA1", "role": "data"},
            {"name": "data2", "serial": "DATA2", "role": "data"},
            {"name": "usb1", "serial": "USB1", "role": "backup"}],
  "pools": [{"name": "rpool", "disks": ["os1"]},
            {"name": "datapool", "disks": ["data1", "data2"], "encrypted": true}],
  "plan": {"phases": [{"name": "0b", "tracks": [{"name": "t", "agent": "pve", "steps": [
    {"name": "v", "task": {"zfsBackupVerify": {"dataset": "datapool"}}}]}]}]}})";
constexpr auto copy_params =
    R"({"dataset": "datapool", "snapshot": "pre", "folder": "/mnt/usb", "name": "copy"})";
constexpr auto verify_params =
    R"({"dataset": "datapool", "snapshot": "pre", "folder": "/mnt/usb", "name": "copy",
        "key": "datapool-key"})";
constexpr auto pool_params =
    R"({"dataset": "datapool", "snapshot": "pre", "target": "usbpool/copy"})";
constexpr auto verify_pool_params =
    R"({"dataset": "datapool", "snapshot": "pre", "target": "usbpool/copy", "key": "datapool-key"})";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// A lab in which all is well, until a test changes something.
struct Scene {
  Scene() { records.enrol("pve", agent); }

  void say(const std::string& arm, const std::string& params, const std::string& facts,
           schema::Outcome outcome = schema::Outcome::SUCCEEDED,
           const std::string& machine = ReportParts().machine_id) {
    const auto task = task_number(++last);
    records.order({.task = task, .arm = arm, .params = params, .secrets_since = since}, agent);
    must(records.report({.task = task,
                         .outcome = outcome,
                         .facts = fmt::format(R"({{"{}": {}}})", arm, facts),
                         .machine_id = machine,
                         .failure = outcome == schema::Outcome::SUCCEEDED ? "" : "I/O error"},
                        agent));
  }
  /// After everything so far.
  void did(const std::string& arm, const std::string& step, const std::string& params,
           const std::string& facts, const std::vector<std::string>& changes) {
    const auto task = task_number(++last);
    records.order({.task = task, .arm = arm, .step = step, .params = params}, agent);
    must(records.report(
        {.task = task, .facts = fmt::format(R"({{"{}": {}}})", arm, facts), .changes = changes},
        agent));
  }
  void audit(const std::string& guid = "7001") {
    say("auditZfs", "{}",
        R"({"coverage": {}, "pools": [{"name": "datapool", "guid": ")" + guid + "\"}]}");
  }
  void write(const std::string& manifest = "abcd") {
    say("zfsBackup", copy_params, R"({"manifestDigest": ")" + manifest + "\"}");
  }
  void verify(const std::string& from = "", const std::string& to = "") {
    say("zfsBackupVerify", verify_params, from.empty() ? good : replaced(good, from, to));
  }
  void write_pool(const std::string& from = "", const std::string& to = "") {
    const std::string facts =
        R"({"state": "complete", "copyDigest": "dada", "targetPoolGuid": "8001"})";
    say("zfsPoolBackup", pool_params, from.empty() ? facts : replaced(facts, from, to));
  }
  void verify_pool(const std::string& from = "", const std::string& to = "") {
    say("zfsPoolBackupVerify", verify_pool_params,
        from.empty() ? good_pool : replaced(good_pool, from, to));
  }
  /// With a copy in a pool, and no other.
  void all_is_well_in_a_pool() {
    audit();
    write_pool();
    verify_pool();
  }
  void all_is_well() {
    audit();
    write();
    verify();
  }
  Finding only(Verdict (*judge)(const Evidences&, std::chrono::seconds)) const {
    const auto lab = must(Message<schema::Lab>::from_json(lab_text));
    const auto verdict = judge({.lab = lab.reader(),
                                .state = records.state,
                                .now = records.now + later,
                                .secrets = secrets},
                               std::chrono::hours(24));
    REQUIRE(verdict.findings.size() == 1);
    return verdict.findings[0];
  }
  Finding copy() const { return only(backup_verified); }

  std::string lab_text = a_lab;
  std::string good = R"({"pool": "datapool", "poolGuid": "7001", "state": "complete",
    "snapshots": [{"dataset": "datapool", "name": "pre", "guid": "5"}], "diskSerial": "USB1",
    "manifestDigest": "abcd", "signedBy": ")" +
                     hex(fixed_keys(5).sign_key()) +
                     R"(", "readBack": true, "bytes": "4096", "moduleVersion": "2.1.11",
    "drill": {"wanted": true, "done": true, "datasets": [{"dataset": "datapool", "configFiles": "3"},
      {"dataset": "datapool/vm", "whyNot": "a volume has no files"}]}})";
  std::string good_pool = R"({"pool": "datapool", "poolGuid": "7001", "state": "complete",
    "snapshots": [{"dataset": "datapool", "name": "pre", "guid": "5"}], "diskSerial": "USB1",
    "targetPool": "usbpool", "targetPoolGuid": "8001", "copyDigest": "dada", "readBack": true,
    "concerns": [], "moduleVersion": "2.1.11",
    "drill": {"wanted": true, "done": true, "datasets": [{"dataset": "datapool", "configFiles": "3"},
      {"dataset": "datapool/vm", "whyNot": "a volume has no files"}]}})";
  Records records;
  crypto::Keys agent = fixed_keys(5);
  std::uint8_t last = 0;
  Millis later = Millis(1000);
  /// Those that orders bring from now on, and those that are stored.
  Instant since = the_secrets_since;
  SecretTimes secrets = {{"datapool-key", the_secrets_since}};
};

}  // namespace

TEST_CASE("backup.verified: a copy that was read back on a disk for backups",
          "[controller][gates]") {
  Scene scene;
  scene.all_is_well();

  const auto finding = scene.copy();

  CHECK(finding.met());
  CHECK(finding.subject == "copy of datapool");
  CHECK_THAT(finding.why, Catch::StartsWith("1 snapshots in 4.0 KiB on USB1, read back"));
  CHECK(finding.supply.empty());
  CHECK(scene.only(backup_drilled).met());
}

TEST_CASE("backup.verified: is missing until there is one", "[controller][gates]") {
  Scene scene;
  scene.audit();
  scene.write();

  const auto finding = scene.copy();

  CHECK(finding.standing == schema::Standing::MISSING);
  CHECK(finding.why == "no copy of it was ever read back");
  CHECK(finding.supply == "relab run 0b");
}

TEST_CASE("backup.verified: what is false about the copy is named", "[controller][gates]") {
  Scene scene;
  scene.all_is_well();
  std::string why;
  SECTION("it was not read to its end") {
    scene.verify(R"("readBack": true)", R"("readBack": false)");
    why = "not read back to its end";
  }
  SECTION("it is not complete") {
    scene.verify("complete", "other");
    why = "not read back to its end";
  }
  SECTION("it has no snapshot") {
    scene.verify(R"([{"dataset": "datapool", "name": "pre", "guid": "5"}])", "[]");
    why = "it has no snapshot";
  }
  SECTION("its disk holds data of the lab") {
    scene.verify("USB1", "DATA1");
    why = "the copy lies on data1 (DATA1), one of the lab's own disks";
  }
  SECTION("its disk holds the system") {
    scene.verify("USB1", "OS1");
    why = "one of the lab's own disks";
  }
  SECTION("one of its disks holds the system") {
    scene.verify("USB1", "USB1,OS1");
    why = "one of the lab's own disks";
  }
  SECTION("nobody knows its disk") {
    scene.verify("USB1", "USB9");
    why = "which lab.toml does not know";
  }
  SECTION("its disk has no serial number") {
    scene.verify("USB1", "");
    why = "told no serial number";
  }
  SECTION("its manifest was changed since") {
    scene.verify("abcd", "abce");
    why = "its manifest is not the one that was written with it";
  }
  SECTION("it was written anew since") {
    scene.write("ffff");
    why = "its manifest is not the one that was written with it";
  }
  SECTION("it was found there by a later task, and is another") {
    scene.did("zfsBackup", "0b/t/w", copy_params, R"({"manifestDigest": "abcd"})", {"+ copy"});
    CHECK(scene.copy().met());
    scene.write("ffff");
    scene.verify("abcd", "ffff");
    why = "its manifest is not the one that was written with it";
  }
  SECTION("another attempt to write it failed") {
    scene.say("zfsBackup", copy_params, "{}", schema::Outcome::FAILED);
    why = "did not succeed";
  }
  SECTION("its manifest is signed by nobody") {
    scene.verify(R"("signedBy": ")", R"("signedBy": "", "digest": ")");
    why = "not signed by the agent that wrote it";
  }
  SECTION("its manifest is signed by somebody else") {
    scene.verify(R"("signedBy": ")", R"("signedBy": "00)");
    why = "not signed by the agent that wrote it";
  }
  SECTION("something was written to the pool since, as lab.toml says") {
    scene.lab_text = replaced(
        scene.lab_text, R"("plan": {"phases": [)",
        R"("plan": {"phases": [{"name": "0c", "tracks": [{"name": "t", "agent": "pve", "steps": [
             {"name": "photos", "task": {"ping": {}}, "writes": ["datapool"]}]}]},)");
    CHECK(scene.copy().met());
    scene.did("ping", "0c/t/photos", "{}", "{}", {});
    why = "0c/t/photos wrote to the pool after its snapshot was taken";
  }
  SECTION("something was written to the pool since, as lab.toml said then") {
    const auto lab = replaced(
        scene.lab_text, R"("plan": {"phases": [)",
        R"("plan": {"phases": [{"name": "0c", "tracks": [{"name": "t", "agent": "pve", "steps": [
             {"name": "photos", "task": {"ping": {}}, "writes": ["datapool"]}]}]},)");
    Draft<schema::Entry> entry;
    auto started = entry->initRunStarted();
    started.setRun(blob(the_run.bytes));
    started.setPhase("0c");
    started.setLab(blob(must(Message<schema::Lab>::from_json(lab)).bytes()));
    must(scene.records.add(std::move(entry)));
    scene.did("ping", "0c/t/photos", "{}", "{}", {});
    why = "0c/t/photos wrote to the pool after its snapshot was taken";
  }
  SECTION("something was written to the pool since, and the clock was set back in between") {
    scene.good = replaced(scene.good, R"("name": "pre",)",
                          fmt::format(R"("name": "pre", "createdAt": "{}",)",
                                      unix_millis(scene.records.now) + 60000));
    scene.did("zfsSnapshot", "0b/t/s", R"({"dataset": "datapool", "name": "pre"})", "{}",
              {"+ snapshot"});
    scene.verify();
    CHECK(scene.copy().met());
    scene.did("preserve", "0c/t/keep", R"({"paths": ["/etc"]})",
              R"({"fileSystem": "zfs", "device": "datapool/archives"})", {"+ archive"});
    why = "0c/t/keep wrote to the pool after its snapshot was taken";
  }
  SECTION("an archive was written to the pool since") {
    scene.did("preserve", "0c/t/keep", R"({"paths": ["/etc"]})",
              R"({"fileSystem": "zfs", "device": "datapool/archives"})", {"+ archive"});
    why = "0c/t/keep wrote to the pool after its snapshot was taken";
  }
  SECTION("it is of another pool of the same name") {
    scene.verify("7001", "7002");
    why = "another pool than the one of that name that the audit saw";
  }
  SECTION("the pool is another one since") {
    scene.audit("7003");
    why = "another pool than the one of that name that the audit saw";
  }
  SECTION("the audit sees no such pool any more") {
    scene.say("auditZfs", "{}", R"({"coverage": {}})");
    why = "the audit has seen no pool of that name";
  }

  const auto finding = scene.copy();

  CHECK(finding.standing == schema::Standing::UNMET);
  CHECK_THAT(finding.why, Catch::Contains(why));
}

TEST_CASE("backup.verified: what was written before the snapshot, or not at all, is no matter",
          "[controller][gates]") {
  Scene scene;
  scene.all_is_well();
  scene.good = replaced(
      scene.good, R"("name": "pre",)",
      fmt::format(R"("name": "pre", "createdAt": "{}",)", unix_millis(scene.records.now) + 60000));
  scene.did("preserve", "0c/t/keep", R"({"paths": ["/etc"]})",
            R"({"fileSystem": "zfs", "device": "datapool/archives"})", {"+ archive"});
  scene.verify();
  CHECK(scene.copy().met());

  scene.records.now += std::chrono::minutes(5);
  scene.did("preserve", "0c/t/keep", R"({"paths": ["/etc"]})",
            R"({"fileSystem": "zfs", "device": "datapool/archives"})", {});
  scene.did("preserve", "0c/t/other", R"({"paths": ["/etc"]})",
            R"({"fileSystem": "ext4", "device": "/dev/sdf1"})", {"+ archive"});
  CHECK(scene.copy().met());
}

TEST_CASE("key.proven: a pool is plain only if the audit says so, too", "[controller][gates]") {
  Scene scene;
  scene.lab_text = replaced(scene.lab_text, R"(, "encrypted": true)", "");
  CHECK(scene.only(key_proven).standing == schema::Standing::MISSING);

  const auto audited = [&](const std::string& encryption) {
    scene.say("auditZfs", "{}",
              R"({"datasets": [{"name": "datapool", "encryption": "off"},
      {"name": "datapool/documents", "encryption": ")" +
                  encryption + R"("}]})");
  };
  audited("off");
  CHECK(scene.only(key_proven).met());
  audited("aes-256-gcm");
  CHECK(scene.only(key_proven).why ==
        "lab.toml says that it is not encrypted, and datapool/documents is");
  scene.audit();
  CHECK(scene.only(key_proven).why == "the audit has seen no dataset of it");
}

TEST_CASE("backup.verified: evidence that does not count is told from none",
          "[controller][gates]") {
  Scene scene;
  scene.all_is_well();
  auto standing = schema::Standing::UNMET;
  SECTION("a later one failed") {
    scene.say("zfsBackupVerify", copy_params, "{}", schema::Outcome::FAILED);
    standing = schema::Standing::CONTRADICTED;
  }
  SECTION("a later one failed, and the report of an earlier one comes in behind it") {
    const auto late = task_number(++scene.last);
    scene.records.order({.task = late, .arm = "zfsBackupVerify", .params = verify_params},
                        scene.agent);
    scene.say("zfsBackupVerify", copy_params, "{}", schema::Outcome::FAILED);
    must(scene.records.report(
        {.task = late, .facts = fmt::format(R"({{"zfsBackupVerify": {}}})", scene.good)},
        scene.agent));
    standing = schema::Standing::CONTRADICTED;
  }
  SECTION("of another machine") {
    scene.say("zfsBackupVerify", copy_params, scene.good, schema::Outcome::SUCCEEDED,
              "ffffffffffffffffffffffffffffffff");
    standing = schema::Standing::MISSING;
  }
  SECTION("too old") {
    scene.later = std::chrono::hours(25);
    standing = schema::Standing::STALE;
  }
  SECTION("the clock was set back") {
    scene.later = -std::chrono::hours(1);
    standing = schema::Standing::STALE;
  }
  SECTION("the agent is another one now") {
    scene.records.enrol("pve", fixed_keys(6));
    standing = schema::Standing::MISSING;
  }
  SECTION("of a child dataset only") {
    scene.lab_text =
        replaced(scene.lab_text, R"({"name": "datapool",)", R"({"name": "otherpool",)");
    standing = schema::Standing::MISSING;
  }

  CHECK(scene.copy().standing == standing);
}

TEST_CASE("backup.verified: a copy in another pool counts as well", "[controller][gates]") {
  Scene scene;
  scene.all_is_well_in_a_pool();

  const auto finding = scene.copy();

  CHECK(finding.met());
  CHECK_THAT(finding.why,
             Catch::StartsWith("1 snapshots in the pool 'usbpool' on USB1, read back"));
  CHECK(scene.only(backup_drilled).met());
  CHECK_THAT(scene.only(backup_drilled).why,
             Catch::StartsWith("2 datasets opened and compared by ZFS 2.1.11"));
}

TEST_CASE("backup.verified: what is false about a copy in another pool is named",
          "[controller][gates]") {
  Scene scene;
  scene.all_is_well_in_a_pool();
  std::string why;
  SECTION("it was not read to its end") {
    scene.verify_pool(R"("readBack": true)", R"("readBack": false)");
    why = "not read back to its end";
  }
  SECTION("it is not complete") {
    scene.verify_pool("complete", GENERATE("none", "other"));
    why = "not read back to its end";
  }
  SECTION("it has no snapshot") {
    scene.verify_pool(R"([{"dataset": "datapool", "name": "pre", "guid": "5"}])", "[]");
    why = "it has no snapshot";
  }
  SECTION("one of its disks is one of the lab's") {
    scene.verify_pool("USB1", GENERATE("DATA1", "USB1,OS1"));
    why = "one of the lab's own disks";
  }
  SECTION("one of its disks has no serial number") {
    scene.verify_pool("USB1", GENERATE(",USB1", "USB9,USB1"));
    why = "which lab.toml does not know";
  }
  SECTION("no disk of it has one") {
    scene.verify_pool("USB1", "");
    why = "told no serial number";
  }
  SECTION("it has other snapshots than were written") {
    scene.verify_pool("dada", GENERATE("dadb", ""));
    why = "its pool and its snapshots are not those that were written";
  }
  SECTION("it was written into another pool") {
    scene.verify_pool("8001", "8002");
    why = "its pool and its snapshots are not those that were written";
  }
  SECTION("other snapshots were written since") {
    scene.write_pool("dada", "ffff");
    why = "its pool and its snapshots are not those that were written";
  }
  SECTION("its writing did not come to its end") {
    scene.write_pool("complete", "none");
    why = "its pool and its snapshots are not those that were written";
  }
  SECTION("another attempt to write it failed") {
    scene.say("zfsPoolBackup", pool_params, "{}", schema::Outcome::FAILED);
    why = "did not succeed";
  }
  SECTION("something speaks against its pool") {
    scene.verify_pool(R"("concerns": [])", R"("concerns": ["the pool is DEGRADED"])");
    why = "its pool is not intact: the pool is DEGRADED";
  }
  SECTION("it is of another pool of the same name") {
    scene.verify_pool("7001", "7002");
    why = "another pool than the one of that name that the audit saw";
  }
  SECTION("the pool is another one since") {
    scene.audit("7003");
    why = "another pool than the one of that name that the audit saw";
  }

  const auto finding = scene.copy();

  CHECK(finding.standing == schema::Standing::UNMET);
  CHECK_THAT(finding.why, Catch::Contains(why));
}

TEST_CASE("backup.verified: a copy in another pool that nobody wrote is none",
          "[controller][gates]") {
  Scene scene;
  scene.audit();
  scene.write();
  scene.verify_pool();

  CHECK(scene.copy().why == "no task of this lab has written that copy");
}

TEST_CASE("backup.verified: of two kinds of copies the last verification counts",
          "[controller][gates]") {
  Scene scene;
  scene.all_is_well();
  scene.write_pool();
  SECTION("in a pool, and good") {
    scene.verify_pool();
    CHECK_THAT(scene.copy().why, Catch::Contains("the pool 'usbpool'"));
  }
  SECTION("in a pool, and failed") {
    scene.say("zfsPoolBackupVerify", pool_params, "{}", schema::Outcome::FAILED);
    CHECK(scene.copy().standing == schema::Standing::UNMET);
  }
  SECTION("in a pool that failed after a good one") {
    scene.verify_pool();
    scene.say("zfsPoolBackupVerify", pool_params, "{}", schema::Outcome::FAILED);
    CHECK(scene.copy().standing == schema::Standing::CONTRADICTED);
    CHECK_FALSE(scene.only(backup_drilled).met());
  }
  SECTION("in a file again") {
    scene.say("zfsPoolBackupVerify", pool_params, "{}", schema::Outcome::FAILED);
    scene.verify();
    CHECK(scene.copy().met());
  }
}

TEST_CASE("backup.verified: a lab without a data pool shows nothing", "[controller][gates]") {
  Scene scene;
  scene.all_is_well();
  scene.lab_text = replaced(scene.lab_text, R"("serial": "DATA2", "role": "data")",
                            R"("serial": "DATA2", "role": "os")");

  for (auto* judge : {backup_verified, backup_drilled, pools_intact, key_proven})
    CHECK_FALSE(scene.only(judge).met());
}

TEST_CASE("backup.drilled: a copy that nobody received is not enough", "[controller][gates]") {
  Scene scene;
  scene.all_is_well();
  std::string why;
  SECTION("not done") {
    scene.verify(R"("done": true)", R"("done": false, "why": "no room")");
    why = "it was not received for practice: no room";
  }
  SECTION("nothing compared") {
    scene.verify(R"([{"dataset": "datapool", "configFiles": "3"},
      {"dataset": "datapool/vm", "whyNot": "a volume has no files"}])",
                 "[]");
    why = "nothing of it was compared";
  }
  SECTION("no byte compared") {
    scene.verify(R"("configFiles": "3")", R"("entries": "3")");
    why = "of no file of it the bytes were compared";
  }
  SECTION("something not compared") {
    scene.verify(R"({"dataset": "datapool", "configFiles": "3"},)",
                 R"({"dataset": "datapool", "whyNot": "its key is not loaded"},)");
    why = "datapool was not compared: its key is not loaded";
  }

  CHECK(scene.copy().met());
  const auto finding = scene.only(backup_drilled);
  CHECK_FALSE(finding.met());
  CHECK_THAT(finding.why, Catch::Contains(why));
}

TEST_CASE("backup.drilled: a copy in a pool that nobody opened is not enough",
          "[controller][gates]") {
  Scene scene;
  scene.all_is_well_in_a_pool();
  scene.verify_pool(R"("done": true)", R"("done": false, "why": "no key is named")");

  CHECK(scene.copy().met());
  CHECK(scene.only(backup_drilled).why == "it was not opened for practice: no key is named");
}

TEST_CASE("backup.drilled, key.proven: with another secret than the one that is stored now",
          "[controller][gates]") {
  Scene scene;
  const auto prove = [&] {
    scene.say("zfsKeyCheck", R"({"dataset": "datapool", "key": "datapool-key"})",
              R"({"proven": true, "poolGuid": "7001"})");
  };
  const bool is_file = GENERATE(true, false);
  const auto drill = [&] { is_file ? scene.verify() : scene.verify_pool(); };
  is_file ? scene.all_is_well() : scene.all_is_well_in_a_pool();
  prove();
  CHECK(scene.only(backup_drilled).met());
  CHECK(scene.only(key_proven).met());

  SECTION("that was set anew") {
    const auto anew = the_secrets_since + Millis(1);
    scene.secrets["datapool-key"] = anew;
    CHECK(scene.only(backup_drilled).why == "the secret 'datapool-key' is another one since");
    CHECK(scene.only(key_proven).why == "the secret 'datapool-key' is another one since");
    CHECK(scene.copy().met());
    scene.since = anew;
    prove();
    CHECK(scene.only(key_proven).met());
    CHECK_FALSE(scene.only(backup_drilled).met());
    drill();
    CHECK(scene.only(backup_drilled).met());
  }
  SECTION("that was removed") {
    scene.secrets = {{"other-key", the_secrets_since}};
    CHECK(scene.only(backup_drilled).why == "the secret 'datapool-key' is not stored any more");
    CHECK_FALSE(scene.only(key_proven).met());
  }
}

TEST_CASE("pools.intact: as ZFS tells it", "[controller][gates]") {
  Scene scene;
  scene.audit();
  CHECK(scene.only(pools_intact).standing == schema::Standing::MISSING);
  scene.say("poolHealth", R"({"pool": "datapool"})",
            R"({"intact": true, "pool": {"guid": "7001"}})");
  CHECK(scene.only(pools_intact).met());

  SECTION("concerns") {
    scene.say("poolHealth", R"({"pool": "datapool"})", R"({"concerns": ["sda is OFFLINE"]})");
    CHECK(scene.only(pools_intact).why == "sda is OFFLINE");
  }
  SECTION("a contradiction in itself") {
    scene.say("poolHealth", R"({"pool": "datapool"})",
              R"({"intact": true, "concerns": ["sda is OFFLINE"]})");
  }
  SECTION("of another pool of that name") {
    scene.audit("7002");
    CHECK(scene.only(pools_intact).why ==
          "it is of another pool than the one of that name that the audit saw");
  }
  SECTION("another pool's health says nothing of it") {
    scene.say("poolHealth", R"({"pool": "datapool"})", R"({"intact": false})");
    scene.say("poolHealth", R"({"pool": "rpool"})", R"({"intact": true})");
  }
  CHECK_FALSE(scene.only(pools_intact).met());
}

TEST_CASE("key.proven: a dataset with a key of its own needs its own proof",
          "[controller][gates]") {
  Scene scene;
  scene.say("auditZfs", "{}", R"({"pools": [{"name": "datapool", "guid": "7001"}], "datasets": [
      {"name": "datapool", "encryption": "aes-256-gcm", "encryptionRoot": "datapool"},
      {"name": "datapool/in", "encryption": "aes-256-gcm", "encryptionRoot": "datapool"},
      {"name": "datapool/own", "encryption": "aes-256-gcm", "encryptionRoot": "datapool/own"},
      {"name": "datapoolx", "encryption": "aes-256-gcm", "encryptionRoot": "datapoolx"}]})");
  const auto prove = [&](const std::string& dataset) {
    scene.say("zfsKeyCheck", R"({"key": "datapool-key", "dataset": ")" + dataset + "\"}",
              R"({"proven": true, "poolGuid": "7001"})");
  };
  prove("datapool");

  CHECK(scene.only(key_proven).subject == "key of datapool/own");
  CHECK(scene.only(key_proven).why == "it was never tried");
  prove("datapool/own");
  CHECK(scene.only(key_proven).met());
}

TEST_CASE("key.proven: by ZFS, of the pool that was seen", "[controller][gates]") {
  Scene scene;
  scene.audit();
  const std::string params = R"({"dataset": "datapool", "key": "datapool-key"})";
  CHECK(scene.only(key_proven).standing == schema::Standing::MISSING);
  scene.say("zfsKeyCheck", params, R"({"proven": true, "poolGuid": "7001"})");
  CHECK(scene.only(key_proven).met());

  SECTION("another key") {
    scene.say("zfsKeyCheck", params,
              R"({"proven": false, "words": "Incorrect key", "poolGuid": "7001"})");
    CHECK(scene.only(key_proven).why == "the key does not open it: Incorrect key");
  }
  SECTION("loaded is not proven") {
    scene.say("zfsKeyCheck", params, R"({"keyStatus": "available", "poolGuid": "7001"})");
  }
  SECTION("the key of another pool of that name") {
    scene.say("zfsKeyCheck", params, R"({"proven": true, "poolGuid": "7002"})");
  }
  SECTION("the key of a dataset below it") {
    scene.say("zfsKeyCheck", params, R"({"proven": false, "poolGuid": "7001"})");
    scene.say("zfsKeyCheck", R"({"dataset": "datapool/documents", "key": "datapool-key"})",
              R"({"proven": true, "poolGuid": "7001"})");
  }
  CHECK_FALSE(scene.only(key_proven).met());
}

}  // namespace relab::controller
