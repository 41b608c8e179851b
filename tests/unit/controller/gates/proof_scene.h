#pragma once

/// A lab with a pool of data, and what its agent has told of copies and keys, for the tests of what
/// must outlive an installation.

#include <fmt/format.h>
#include <string>
#include <vector>

#include "controller/gates/key_proof.h"
#include "controller/gates/pool_proofs.h"
#include "tests/support/records.h"

namespace relab::controller {

inline constexpr auto a_lab = R"({"name": "home", "hosts": [{"name": "pve"}],
  "disks": [{"name": "os1", "serial": "OS1", "role": "os"},
            {"name": "data1", "serial": "DATA1", "role": "data"},
            {"name": "data2", "serial": "DATA2", "role": "data"},
            {"name": "usb1", "serial": "USB1", "role": "backup"}],
  "pools": [{"name": "rpool", "disks": ["os1"]},
            {"name": "datapool", "disks": ["data1", "data2"], "encrypted": true}],
  "plan": {"phases": [{"name": "0b", "tracks": [{"name": "t", "agent": "pve", "steps": [
    {"name": "v", "task": {"zfsBackupVerify": {"dataset": "datapool"}}}]}]}]}})";
inline constexpr auto copy_params =
    R"({"dataset": "datapool", "snapshot": "pre", "folder": "/mnt/usb", "name": "copy"})";
inline constexpr auto verify_params =
    R"({"dataset": "datapool", "snapshot": "pre", "folder": "/mnt/usb", "name": "copy",
        "key": "datapool-key"})";
inline constexpr auto pool_params =
    R"({"dataset": "datapool", "snapshot": "pre", "target": "usbpool/copy"})";
inline constexpr auto verify_pool_params =
    R"({"dataset": "datapool", "snapshot": "pre", "target": "usbpool/copy", "key": "datapool-key"})";

/// As the machine shows the pool.
inline constexpr auto the_vdevs = R"("vdevs": [
  {"pool": "datapool", "name": "datapool", "kind": "root", "state": "ONLINE"},
  {"pool": "datapool", "depth": 1, "parent": 0, "name": "mirror-0", "kind": "mirror", "role": "data"},
  {"pool": "datapool", "depth": 2, "parent": 1, "name": "sda", "kind": "disk", "role": "data",
   "state": "ONLINE", "serial": "DATA1"},
  {"pool": "datapool", "depth": 2, "parent": 1, "name": "sdb", "kind": "disk", "role": "data",
   "state": "ONLINE", "serial": "DATA2"}])";

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// A lab in which all is well, until a test changes something.
struct Scene {
  Scene() { records.enrol("pve", agent); }

  void say(const std::string& arm, const std::string& params, const std::string& facts,
           schema::Outcome outcome = schema::Outcome::SUCCEEDED,
           const std::string& machine = ReportParts().machine_id, Fault fault = Fault::damaged) {
    const auto task = task_number(++last);
    records.order({.task = task, .arm = arm, .params = params, .secrets_since = since}, agent);
    must(records.report({.task = task,
                         .outcome = outcome,
                         .facts = fmt::format(R"({{"{}": {}}})", arm, facts),
                         .machine_id = machine,
                         .failure = outcome == schema::Outcome::SUCCEEDED ? "" : "I/O error",
                         .fault = fault},
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
  /// Without facts, as one that was in the middle of it.
  void failed(const std::string& arm, const std::string& step, const std::string& params) {
    const auto task = task_number(++last);
    records.order({.task = task, .arm = arm, .step = step, .params = params}, agent);
    must(records.report(
        {.task = task, .outcome = schema::Outcome::FAILED, .failure = "the disk is full"}, agent));
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
    "snapshots": [{"dataset": "datapool", "name": "pre", "guid": "5",
                   "createdAt": "1789999990000"}], "diskSerial": "USB1",
    "manifestDigest": "abcd", "signedBy": ")" +
                     hex(fixed_keys(5).sign_key()) +
                     R"(", "readBack": true, "bytes": "4096", "moduleVersion": "2.1.11",
    "drill": {"wanted": true, "done": true, "datasets": [{"dataset": "datapool", "configFiles": "3"},
      {"dataset": "datapool/vm"}]}})";
  std::string good_pool = R"({"pool": "datapool", "poolGuid": "7001", "state": "complete",
    "snapshots": [{"dataset": "datapool", "name": "pre", "guid": "5",
                   "createdAt": "1789999990000"}], "diskSerial": "USB1",
    "targetPool": "usbpool", "targetPoolGuid": "8001", "copyDigest": "dada", "readBack": true,
    "concerns": [], "moduleVersion": "2.1.11",
    "drill": {"wanted": true, "done": true, "datasets": [{"dataset": "datapool", "configFiles": "3"},
      {"dataset": "datapool/vm"}]}})";
  Records records;
  crypto::Keys agent = fixed_keys(5);
  std::uint8_t last = 0;
  Millis later = Millis(1000);
  /// Those that orders bring from now on, and those that are stored.
  Instant since = the_secrets_since;
  SecretTimes secrets = {{"datapool-key", the_secrets_since}};
};

}  // namespace relab::controller
