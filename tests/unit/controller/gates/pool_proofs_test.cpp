// What must outlive an installation: whatever is false about it keeps the gate shut, and is named.

#include "tests/unit/controller/gates/proof_scene.h"

namespace relab::controller {

TEST_CASE("backup.verified: a copy that was read back on a disk for backups",
          "[controller][gates]") {
  Scene scene;
  scene.all_is_well();

  const auto finding = scene.copy();

  CHECK(finding.met());
  CHECK(finding.subject == "copy of datapool");
  CHECK_THAT(finding.why,
             Catch::StartsWith("1 snapshots in 4.0 KiB on USB1, taken 11 s ago, read back"));
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
    scene.verify(R"([{"dataset": "datapool", "name": "pre", "guid": "5",
                   "createdAt": "1789999990000"}])",
                 "[]");
    why = "it has no snapshot";
  }
  SECTION("it is of last month") {
    scene.verify("1789999990000", "1787000000000");
    why = "its snapshot was taken 34 d 17 h ago, which is more than 30 d 0 h";
  }
  SECTION("a later audit shows what it does not have") {
    scene.say("auditZfs", "{}", R"({"coverage": {}, "pools": [{"name": "datapool", "guid": "7001"}],
      "datasets": [{"name": "datapool"}, {"name": "datapool/relab-drill/copy"}, {"name": "rpool/new"},
                   {"name": "datapool/new"}]})");
    why = "a later audit shows datapool/new, of which it has nothing";
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
    scene.good = replaced(scene.good, "1789999990000",
                          std::to_string(unix_millis(scene.records.now) + 60000));
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
  SECTION("something was restored into the pool since") {
    scene.did("restore", "0c/t/back", R"({"folder": "/mnt/usb", "name": "app"})",
              R"({"datasets": ["rpool/ROOT/pve-1", "datapool/app"]})", {"+ 3 entries"});
    why = "0c/t/back wrote to the pool after its snapshot was taken";
  }
  SECTION("a restore failed half-way since") {
    scene.failed("restore", "0c/t/back", R"({"folder": "/mnt/usb", "name": "app"})");
    why = "0c/t/back wrote to the pool after its snapshot was taken";
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
  scene.good =
      replaced(scene.good, "1789999990000", std::to_string(unix_millis(scene.records.now) + 60000));
  scene.did("preserve", "0c/t/keep", R"({"paths": ["/etc"]})",
            R"({"fileSystem": "zfs", "device": "datapool/archives"})", {"+ archive"});
  scene.verify();
  CHECK(scene.copy().met());

  scene.records.now += std::chrono::minutes(5);
  scene.did("preserve", "0c/t/keep", R"({"paths": ["/etc"]})",
            R"({"fileSystem": "zfs", "device": "datapool/archives"})", {});
  scene.did("preserve", "0c/t/other", R"({"paths": ["/etc"]})",
            R"({"fileSystem": "ext4", "device": "/dev/sdf1"})", {"+ archive"});
  scene.did("restore", "0c/t/same", R"({"folder": "/mnt/usb", "name": "app"})",
            R"({"datasets": ["datapool/app"]})", {});
  scene.did("restore", "0c/t/elsewhere", R"({"folder": "/mnt/usb", "name": "app"})",
            R"({"datasets": ["rpool/ROOT/pve-1"]})", {"+ 3 entries"});
  CHECK(scene.copy().met());
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

TEST_CASE("backup.verified: a snapshot from the future shows nothing", "[controller][gates]") {
  Scene scene;
  scene.all_is_well();
  scene.verify(R"("createdAt": "1789999990000")", R"("createdAt": "1799999990000")");

  CHECK(scene.copy().why == "its snapshot was taken in the future: was a clock set back?");
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
    // Nobody has tried it, and a person may sign for that; what a trial found is another matter.
    CHECK(scene.only(backup_drilled).excusable);
  }
  SECTION("nothing compared") {
    scene.verify(R"([{"dataset": "datapool", "configFiles": "3"},
      {"dataset": "datapool/vm"}])",
                 "[]");
    why = "nothing of it was compared";
    CHECK_FALSE(scene.only(backup_drilled).excusable);
  }
  SECTION("no byte compared") {
    scene.verify(R"("configFiles": "3")", R"("entries": "3")");
    why = "not one byte of it was compared";
  }
  SECTION("a dataset of the copy is not among what was compared") {
    scene.verify(R"({"dataset": "datapool", "configFiles": "3"},)", "");
    why = "datapool was not compared";
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

TEST_CASE("backup.drilled: a trial that failed is not made up for by none", "[controller][gates]") {
  Scene scene;
  scene.all_is_well();
  const auto fails = [&](Fault fault, const std::string& params = verify_params) {
    scene.say("zfsBackupVerify", params, R"({"drill": {"wanted": true}})", schema::Outcome::FAILED,
              ReportParts().machine_id, fault);
  };
  const auto read_without = [&] {
    scene.verify(R"("done": true)", R"("done": false, "why": "no room")");
  };
  bool excusable = false;
  SECTION("the copy is false") {
    fails(Fault::damaged);
    read_without();
    CHECK(scene.only(backup_drilled).why ==
          "it was not received for practice: no room; the last trial of it failed: I/O error");
  }
  SECTION("and once more without") {
    fails(Fault::damaged);
    read_without();
    read_without();
  }
  SECTION("somebody ended it") {
    fails(Fault::cancelled);
    read_without();
    excusable = true;
  }
  SECTION("it was not to be tried") {
    fails(Fault::damaged, replaced(verify_params, "\"key\"", "\"drill\": false, \"key\""));
    read_without();
    excusable = true;
  }
  SECTION("it was tried again, and is good") {
    fails(Fault::damaged);
    scene.verify();
    CHECK(scene.only(backup_drilled).met());
    read_without();
    excusable = true;
  }
  SECTION("that was another copy") {
    fails(Fault::damaged);
    scene.did("zfsBackup", "w", copy_params, R"({"manifestDigest": "abcd"})", {"+ copy"});
    read_without();
    excusable = true;
  }
  const auto finding = scene.only(backup_drilled);
  CHECK_FALSE(finding.met());
  CHECK(finding.excusable == excusable);
}

TEST_CASE("pools.intact: as ZFS tells it", "[controller][gates]") {
  Scene scene;
  scene.audit();
  CHECK(scene.only(pools_intact).standing == schema::Standing::MISSING);
  const auto healthy = [&](const std::string& scrubbed,
                           const std::string& vdevs = std::string(the_vdevs)) {
    scene.say("poolHealth", R"({"pool": "datapool"})",
              R"({"intact": true, "pool": {"guid": "7001"}, )" + vdevs + R"(, "scrubbedAt": ")" +
                  scrubbed + "\"}");
  };
  const auto scrub = [&](const std::string& facts, schema::Outcome outcome) {
    scene.say("zfsScrub", R"({"pool": "datapool"})", facts, outcome);
  };
  healthy("1789999999000");
  CHECK(scene.only(pools_intact).met());
  scrub(R"({"recent": true})", schema::Outcome::SUCCEEDED);
  CHECK(scene.only(pools_intact).met());

  SECTION("never scrubbed") {
    healthy("0");
    CHECK_THAT(scene.only(pools_intact).why, Catch::StartsWith("no scrub of it is known"));
  }
  SECTION("scrubbed long ago") {
    healthy("1786000000000");
    CHECK(scene.only(pools_intact).why ==
          "it was scrubbed 46 d 7 h ago, which is more than 45 d 0 h");
  }
  SECTION("scrubbed in the future") {
    healthy("1799999999000");
    CHECK(scene.only(pools_intact).why ==
          "its last scrub ended in the future: was a clock set back?");
  }
  SECTION("on a disk that is to be installed on") {
    healthy("1789999999000", replaced(the_vdevs, "DATA2", "OS1"));
    CHECK(scene.only(pools_intact).why ==
          "sdb of it is os1 (OS1), which has the role os in lab.toml, and not data");
    CHECK_FALSE(scene.only(pools_intact).excusable);
  }
  SECTION("nothing is known of its disks") {
    healthy("1789999999000", R"("vdevs": [])");
    CHECK(scene.only(pools_intact).why == "its disks are not known");
  }
  SECTION("a later scrub found errors") {
    scrub(R"({"errors": "80"})", schema::Outcome::SUCCEEDED);
    CHECK(scene.only(pools_intact).why == "a scrub that came after that left 80 error(s)");
  }
  SECTION("a later scrub showed a broken disk") {
    scrub(R"({"concerns": ["sda is FAULTED"]})", schema::Outcome::SUCCEEDED);
    CHECK(scene.only(pools_intact).why == "after a later scrub: sda is FAULTED");
  }
  SECTION("a later scrub failed") {
    scrub("{}", schema::Outcome::FAILED);
    CHECK(scene.only(pools_intact).why == "a scrub that came after that did not succeed");
  }

  SECTION("concerns") {
    scene.say("poolHealth", R"({"pool": "datapool"})", R"({"concerns": ["sda is OFFLINE"]})");
    CHECK(scene.only(pools_intact).why == "sda is OFFLINE");
    CHECK_FALSE(scene.only(pools_intact).excusable);
  }
  SECTION("degraded") {
    const auto degraded =
        R"({"concerns": ["the pool is DEGRADED"], "onlyDegraded": true,
      "pool": {"guid": "7001"}, )" +
        replaced(the_vdevs, R"("state": "ONLINE", "serial": "DATA2")", R"("state": "UNAVAIL")") +
        R"(, "scrubbedAt": ")";
    scene.say("poolHealth", R"({"pool": "datapool"})", degraded + "1789999999000\"}");
    CHECK(scene.only(pools_intact).excusable);
    scene.say("poolHealth", R"({"pool": "datapool"})", degraded + "1786000000000\"}");
    CHECK_FALSE(scene.only(pools_intact).excusable);
    scene.say("poolHealth", R"({"pool": "datapool"})", degraded + "1789999999000\"}");
    scene.audit("7002");
    CHECK_FALSE(scene.only(pools_intact).excusable);
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

}  // namespace relab::controller
