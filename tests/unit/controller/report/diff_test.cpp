#include "controller/report/diff.h"

#include <nlohmann/json.hpp>

#include "common/wire/message.h"
#include "schema/guests.capnp.h"
#include "schema/network.capnp.h"
#include "schema/packages.capnp.h"
#include "schema/schedules.capnp.h"
#include "schema/zfs.capnp.h"
#include "tests/support/must.h"

namespace relab::controller {

namespace {

template <typename Facts>
std::string differences(std::string_view before, std::string_view after,
                        Volatile fields = Volatile::hidden) {
  const auto was = must(Message<Facts>::from_json(before));
  const auto is = must(Message<Facts>::from_json(after));
  return render_changes(diff(was.reader(), is.reader(), "audit", fields), {});
}

const auto* two_pools = R"({"pools": [
  {"name": "rpool", "guid": "1", "health": "ONLINE", "free": "100"},
  {"name": "datapool", "guid": "2", "health": "ONLINE", "free": "100"}]})";

}  // namespace

TEST_CASE("diff: equal findings have no changes, in any form", "[controller][report]") {
  const auto facts = must(Message<schema::AuditZfs::Facts>::from_json(two_pools));

  const auto changes = diff(facts.reader(), facts.reader(), "zfs", Volatile::shown);

  CHECK(changes.empty());
  CHECK(render_changes(changes, {}).empty());
  CHECK(changes_json(changes) == "[]\n");
}

TEST_CASE("diff: elements are matched by identity, not by position", "[controller][report]") {
  CHECK(differences<schema::AuditZfs::Facts>(two_pools, R"({"pools": [
          {"name": "datapool", "guid": "2", "health": "DEGRADED", "free": "100"},
          {"name": "renamed", "guid": "1", "health": "ONLINE", "free": "100"},
          {"name": "backup", "guid": "3", "health": "ONLINE"}]})") ==
        "~ audit pools rpool name: rpool -> renamed\n"
        "~ audit pools datapool health: ONLINE -> DEGRADED\n"
        "+ audit pools backup: name backup, guid 3, health ONLINE, errors known no, data errors 0, "
        "size 0 B, allocated 0 B, free 0 B, capacity 0 %, fragmentation 0 %, ashift 0, readonly "
        "no, checkpoint 0 B, leaked 0 B\n");
}

TEST_CASE("diff: an element that is gone is told, with all that it was", "[controller][report]") {
  CHECK(differences<schema::AuditZfs::Facts>(
            R"({"damaged": [{"pool": "p", "object": "/a"}, {"pool": "p", "object": "/b"}]})",
            R"({"damaged": [{"pool": "p", "object": "/b"}]})") ==
        "- audit damaged /a: pool p, object /a\n");
}

TEST_CASE("diff: an unread part shows as a change of the coverage, before what it hides",
          "[controller][report]") {
  const auto text = differences<schema::AuditZfs::Facts>(
      R"({"damaged": [{"pool": "p", "object": "/a"}]})",
      R"({"coverage": {"problems": [{"part": "pool p", "why": "zpool hangs"}]}})");

  CHECK(text ==
        "+ audit coverage problems pool p: part pool p, why zpool hangs\n"
        "- audit damaged /a: pool p, object /a\n");
}

TEST_CASE("diff: volatile fields are told only when asked for", "[controller][report]") {
  const auto* later = R"({"pools": [
    {"name": "rpool", "guid": "1", "health": "ONLINE", "free": "2048"},
    {"name": "datapool", "guid": "2", "health": "ONLINE", "free": "100"}]})";

  CHECK(differences<schema::AuditZfs::Facts>(two_pools, later).empty());
  CHECK(differences<schema::AuditZfs::Facts>(two_pools, later, Volatile::shown) ==
        "~ audit pools rpool free: 100 B -> 2.0 KiB\n");
}

TEST_CASE("diff: a difference that rounding hides is told exactly", "[controller][report]") {
  CHECK(differences<schema::AuditZfs::Facts>(
            R"({"datasets": [{"name": "a", "quota": "1099511627776"}]})",
            R"({"datasets": [{"name": "a", "quota": "1099511627777"}]})") ==
        "~ audit datasets a quota: 1099511627776 B -> 1099511627777 B\n");
  CHECK(differences<schema::AuditZfs::Facts>(
            R"({"scans": [{"pool": "a", "endedAt": "1790000000000"}]})",
            R"({"scans": [{"pool": "a", "endedAt": "1790000000001"}]})") ==
        "~ audit scans a ended at: 1790000000000 unix ms -> 1790000000001 unix ms\n");
}

TEST_CASE("diff: rows that nothing names are matched as a whole, wherever they stand",
          "[controller][report]") {
  CHECK(differences<schema::AuditSchedules::Facts>(
            R"({"cronJobs": [
              {"source": "/etc/crontab", "line": 1, "command": "a"},
              {"source": "/etc/crontab", "line": 2, "command": "b"},
              {"source": "/etc/crontab", "line": 3, "command": "b"}]})",
            R"({"cronJobs": [
              {"source": "/etc/crontab", "line": 4, "command": "c"},
              {"source": "/etc/crontab", "line": 5, "command": "b"},
              {"source": "/etc/crontab", "line": 6, "command": "a"}]})") ==
        "- audit cron jobs: source /etc/crontab, line 3, command b\n"
        "+ audit cron jobs: source /etc/crontab, line 4, command c\n");
}

TEST_CASE("diff: two fields together tell rows apart where one does not", "[controller][report]") {
  CHECK(differences<schema::AuditGuests::Facts>(
            R"({"disks": [{"vmid": 101, "key": "rootfs", "backup": true},
                          {"vmid": 101, "key": "mp0"}, {"vmid": 102, "key": "rootfs"}]})",
            R"({"disks": [{"vmid": 102, "key": "rootfs"}, {"vmid": 101, "key": "mp0"},
                          {"vmid": 101, "key": "rootfs"}]})") ==
        "~ audit disks 101 rootfs backup: yes -> no\n");
}

TEST_CASE("diff: texts of a list come, go, and change places", "[controller][report]") {
  CHECK(differences<schema::AuditPackages::Facts>(R"({"rebootPackages": ["a", "b", "b"]})",
                                                  R"({"rebootPackages": ["b", "c"]})") ==
        "- audit reboot packages: a\n- audit reboot packages: b\n+ audit reboot packages: c\n");
  CHECK(differences<schema::AuditNetwork::Facts>(R"({"ownAddresses": ["a", "b"]})",
                                                 R"({"ownAddresses": ["b", "a"]})") ==
        "~ audit own addresses: a, b -> b, a\n");
}

TEST_CASE("diff: findings of different kinds are never equal", "[controller][report]") {
  const auto zfs = must(Message<schema::AuditZfs::Facts>::from_json("{}"));
  const auto guests = must(Message<schema::AuditGuests::Facts>::from_json("{}"));

  CHECK(diff(zfs.reader(), guests.reader(), "audit").size() == 1);
}

TEST_CASE("diff: lines and JSON let no control pass", "[controller][report]") {
  const std::vector<Change> changes = {
      {Change::Kind::changed, {"zfs", "\x1b[2J"}, "a\n```", "\u009b", false}};

  CHECK(render_changes(changes, {}) == "~ zfs \\x1b[2J: a\\n``` -> \\u{9b}\n");
  CHECK(render_changes(changes, {.form = Form::markdown}) ==
        "```diff\n~ zfs \\x1b[2J: a\\n``` -> \\u{9b}\n```\n");
  const auto json = nlohmann::json::parse(changes_json(changes));
  CHECK(json[0]["change"] == "changed");
  CHECK(json[0]["path"][1] == "\x1b[2J");
  CHECK(json[0]["after"] == "\u009b");
}

}  // namespace relab::controller
