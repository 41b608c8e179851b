// Copies in another pool: whatever is false about one keeps the gate shut, and is named.

#include "tests/unit/controller/gates/proof_scene.h"

namespace relab::controller {

TEST_CASE("backup.verified: a copy in another pool counts as well", "[controller][gates]") {
  Scene scene;
  scene.all_is_well_in_a_pool();

  const auto finding = scene.copy();

  CHECK(finding.met());
  CHECK_THAT(finding.why,
             Catch::StartsWith("1 snapshots in the pool 'usbpool' on USB1, taken 11 s ago, "
                               "read back"));
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
    scene.verify_pool(R"([{"dataset": "datapool", "name": "pre", "guid": "5",
                   "createdAt": "1789999990000"}])",
                      "[]");
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

TEST_CASE("backup.drilled: a copy in a pool that nobody opened is not enough",
          "[controller][gates]") {
  Scene scene;
  scene.all_is_well_in_a_pool();
  scene.verify_pool(R"("done": true)", R"("done": false, "why": "no key is named")");

  CHECK(scene.copy().met());
  CHECK(scene.only(backup_drilled).why == "it was not opened for practice: no key is named");
}

}  // namespace relab::controller
