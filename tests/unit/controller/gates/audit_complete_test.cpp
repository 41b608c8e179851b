// What opens the gate after the audit, and each thing that keeps it shut.

#include <algorithm>
#include <capnp/schema.h>
#include <fmt/format.h>

#include "common/reflect/notes.h"
#include "controller/gates/gate.h"
#include "tests/support/records.h"

namespace relab::controller {

namespace {

constexpr auto day = std::chrono::hours(24);

/// One host with one data pool of two disks, and a phase 1 that asks for the audit.
constexpr std::string_view lab_json = R"({"name": "home",
  "hosts": [{"name": "pve"}],
  "disks": [{"name": "d1", "serial": "SER1", "role": "data"},
            {"name": "d2", "serial": "SER2", "role": "data"},
            {"name": "usb", "serial": "USB1", "role": "backup"}],
  "pools": [{"name": "tank", "disks": ["d1", "d2"]}],
  "plan": {"phases": [
    {"name": "0a", "title": "audit"},
    {"name": "1", "title": "rebuild",
     "gate": [{"name": "audit.complete", "maxAge": 86400}]}]}})";

std::string arm_of(const std::string& section) {
  for (const auto field : reflect::choices(capnp::Schema::from<schema::Task>()))
    if (reflect::notes_of(field).audit == section) return field.getProto().getName().cStr();
  FAIL("no such section: " << section);
  return {};
}

std::string facts_of(const std::string& section) {
  if (section == "zfs") return R"({"auditZfs": {"pools": [{"name": "tank"}]}})";
  if (section == "disks")
    return R"({"auditDisks": {"disks": [{"serial": "SER1"}, {"serial": "SER2"}]}})";
  return "{\"" + arm_of(section) + "\": {}}";
}

/// A lab whose agent has reported every section, all well, an hour ago.
class Audited {
 public:
  explicit Audited(std::string_view json = lab_json)
      : lab(must(Message<schema::Lab>::from_json(json))) {
    records.enrol("pve", agent);
    for (const auto& section : reflect::audit_sections()) again(section, facts_of(section));
    records.now += std::chrono::hours(1);
  }

  TaskId ordered(const std::string& section) {
    const auto task = task_number(++last);
    records.order({.task = task, .arm = arm_of(section)}, agent);
    return task;
  }
  TaskId again(const std::string& section, const std::string& facts) {
    const auto task = ordered(section);
    must(records.report({.task = task, .facts = facts}, agent));
    return task;
  }
  TaskId again(const std::string& section, ReportParts parts) {
    parts.task = ordered(section);
    must(records.report(parts, agent));
    return parts.task;
  }
  Gate gate() const {
    return must(
        judge_entry("1", {.lab = lab.reader(), .state = records.state, .now = records.now}));
  }
  /// The one finding that keeps the gate shut.
  Finding shut() const {
    const auto judged = gate();
    CHECK_FALSE(judged.open);
    REQUIRE(judged.verdicts.size() == 1);
    const auto& findings = judged.verdicts[0].findings;
    CHECK(findings.size() == reflect::audit_sections().size());
    CHECK(std::ranges::count(findings, false, &Finding::met) == 1);
    return *std::ranges::find(findings, false, &Finding::met);
  }

  Message<schema::Lab> lab;
  Records records;
  crypto::Keys agent = fixed_keys(2);
  std::uint8_t last = 0;
};

}  // namespace

TEST_CASE("audit.complete: all sections, read whole, today: the gate opens",
          "[controller][gates]") {
  const Audited audited;

  const auto gate = audited.gate();

  CHECK(gate.open);
  REQUIRE(gate.verdicts.size() == 1);
  CHECK(gate.verdicts[0].findings.size() == 11);
  for (const auto& finding : gate.verdicts[0].findings) {
    CHECK(finding.met);
    CHECK(finding.why == "read 1 h 0 min ago");
    CHECK(finding.task);
  }
}

TEST_CASE("audit.complete: without an agent nothing is met", "[controller][gates]") {
  Audited audited;
  audited.records.remove("pve");

  const auto gate = audited.gate();

  CHECK_FALSE(gate.open);
  for (const auto& finding : gate.verdicts[0].findings) {
    CHECK_FALSE(finding.met);
    CHECK(finding.why == "missing: no agent 'pve' is enrolled");
    CHECK(finding.supply == "relab enrol pve");
  }
}

TEST_CASE("audit.complete: any one section that was never read keeps the gate shut",
          "[controller][gates]") {
  const auto left_out = GENERATE(from_range(reflect::audit_sections()));
  const auto lab = must(Message<schema::Lab>::from_json(lab_json));
  Records records;
  const auto agent = fixed_keys(2);
  records.enrol("pve", agent);
  std::uint8_t number = 0;
  for (const auto& section : reflect::audit_sections()) {
    if (section == left_out) continue;
    records.order({.task = task_number(++number), .arm = arm_of(section)}, agent);
    must(records.report({.task = task_number(number), .facts = facts_of(section)}, agent));
  }

  const auto gate =
      must(judge_entry("1", {.lab = lab.reader(), .state = records.state, .now = records.now}));

  CHECK_FALSE(gate.open);
  for (const auto& finding : gate.verdicts[0].findings) {
    CHECK(finding.met == (finding.subject != left_out + " of pve"));
    if (!finding.met) CHECK(finding.why == "missing: it was never read");
    if (!finding.met) CHECK(finding.supply == "relab run 0a");
  }
}

TEST_CASE("audit.complete: an order without a report is no evidence", "[controller][gates]") {
  const auto lab = must(Message<schema::Lab>::from_json(lab_json));
  Records records;
  const auto agent = fixed_keys(2);
  records.enrol("pve", agent);
  std::uint8_t number = 0;
  for (const auto& section : reflect::audit_sections())
    records.order({.task = task_number(++number), .arm = arm_of(section)}, agent);

  const auto gate =
      must(judge_entry("1", {.lab = lab.reader(), .state = records.state, .now = records.now}));

  for (const auto& finding : gate.verdicts[0].findings)
    CHECK(finding.why == "missing: it was never read");
}

TEST_CASE("audit.complete: a later failure speaks against an earlier success",
          "[controller][gates]") {
  const auto outcome =
      GENERATE(schema::Outcome::FAILED, schema::Outcome::UNKNOWN, schema::Outcome::CANCELLED,
               schema::Outcome::REFUSED, schema::Outcome::UNSET);
  Audited audited;
  audited.again(
      "zfs", ReportParts{.outcome = outcome, .facts = facts_of("zfs"), .failure = "zpool hangs"});

  CHECK(audited.shut().why == "failed: zpool hangs");
}

TEST_CASE("audit.complete: a later success makes up for an earlier failure",
          "[controller][gates]") {
  Audited audited;
  audited.again("zfs", ReportParts{.outcome = schema::Outcome::FAILED, .failure = "zpool hangs"});
  audited.records.now += std::chrono::minutes(1);
  audited.again("zfs", facts_of("zfs"));

  CHECK(audited.gate().open);
}

TEST_CASE("audit.complete: the later of two tasks counts, whatever their ids",
          "[controller][gates]") {
  Audited audited;
  audited.last = 100;
  audited.again("zfs", facts_of("zfs"));
  audited.records.now += std::chrono::minutes(1);
  audited.last = 50;
  audited.again("zfs", ReportParts{.outcome = schema::Outcome::FAILED, .failure = "zpool hangs"});

  CHECK(audited.shut().why == "failed: zpool hangs");
}

TEST_CASE("audit.complete: a refused and an abandoned order are failures", "[controller][gates]") {
  Audited refused;
  refused.records.refuse(refused.ordered("zfs"), "the role forbids it", refused.agent);
  Audited abandoned;
  abandoned.records.abandon(abandoned.ordered("zfs"), "no report came");

  CHECK(refused.shut().why == "failed: the agent refused the order: the role forbids it");
  CHECK(abandoned.shut().why == "failed: no report came");
}

TEST_CASE("audit.complete: a report that comes after all counts, though nobody waited for it",
          "[controller][gates]") {
  Audited audited;
  const auto task = audited.ordered("zfs");
  audited.records.abandon(task, "no report came");
  must(audited.records.report({.task = task, .facts = facts_of("zfs")}, audited.agent));

  CHECK(audited.gate().open);
}

TEST_CASE("audit.complete: evidence grows old", "[controller][gates]") {
  Audited audited;
  audited.records.now += day - std::chrono::hours(1);
  CHECK(audited.gate().open);

  audited.records.now += Millis(1);

  CHECK(audited.gate().verdicts[0].findings[0].why ==
        "stale: it is 1 d 0 h old, older than 1 d 0 h");
  CHECK_FALSE(audited.gate().open);
}

TEST_CASE(
    "audit.complete: age counts from the order that the report answers, not from a later copy",
    "[controller][gates]") {
  Audited audited;
  const auto task = audited.ordered("zfs");
  const auto answer =
      audited.records.report_envelope({.task = task, .facts = facts_of("zfs")}, audited.agent);
  for (int hour = 0; hour < 23; ++hour) audited.records.now += std::chrono::hours(1);
  audited.records.order({.task = task, .arm = "auditZfs"}, audited.agent);
  must(audited.records.receive(answer.bytes()));
  for (const auto& section : reflect::audit_sections())
    if (section != "zfs") audited.again(section, facts_of(section));
  audited.records.now += std::chrono::hours(2);

  CHECK(audited.shut().why == "stale: it is 1 d 1 h old, older than 1 d 0 h");
}

TEST_CASE("audit.complete: evidence from the future means that the clock was set back",
          "[controller][gates]") {
  Audited audited;
  audited.records.now -= 2 * day;

  const auto gate = audited.gate();

  CHECK_FALSE(gate.open);
  CHECK(gate.verdicts[0].findings[0].why.find("which is in the future") != std::string::npos);
}

TEST_CASE("audit.complete: a part that could not be read keeps the gate shut",
          "[controller][gates]") {
  Audited audited;
  audited.again("pci", R"({"auditPci": {"coverage": {"problems": [
    {"part": "a", "why": "1"}, {"part": "b", "why": "2"}, {"part": "c", "why": "3"},
    {"part": "d", "why": "4"}, {"part": "e", "why": "5"}]}}})");

  CHECK(audited.shut().why == "failed: it was not read whole: a: 1; b: 2; c: 3; and 2 more");
}

TEST_CASE("audit.complete: a problem counts even in a section that calls itself absent",
          "[controller][gates]") {
  Audited audited;
  audited.again("pbs", R"({"auditPbs": {"coverage": {"absent": "no PBS here",
    "problems": [{"part": "storages", "why": "pvesh failed"}]}}})");

  CHECK(audited.shut().why == "failed: it was not read whole: storages: pvesh failed");
}

TEST_CASE("audit.complete: what is absent and not declared is said, and does no harm",
          "[controller][gates]") {
  Audited audited;
  audited.again("pbs", R"({"auditPbs": {"coverage": {"absent": "no PBS here"}}})");

  const auto gate = audited.gate();

  CHECK(gate.open);
  CHECK(std::ranges::any_of(gate.verdicts[0].findings, [](const Finding& finding) {
    return finding.subject == "pbs of pve" &&
           finding.why == "absent: no PBS here; not declared; read 0 ms ago";
  }));
}

TEST_CASE("audit.complete: what is absent and declared keeps the gate shut",
          "[controller][gates]") {
  Audited audited;
  const auto row = GENERATE(
      table<std::string, std::string>({{"zfs", "the pool 'tank'"}, {"disks", "the disk 'd1'"}}));
  const auto& [section, declared] = row;
  audited.again(section, "{\"" + arm_of(section) + R"(": {"coverage": {"absent": "none here"}}})");

  CHECK(audited.shut().why == "absent: none here, but lab.toml declares it: " + declared);
}

TEST_CASE("audit.complete: what the host's `expect` names must not be absent",
          "[controller][gates]") {
  auto json = std::string(lab_json);
  json.replace(json.find(R"({"name": "pve"})"), 15, R"({"name": "pve", "expect": ["pbs"]})");
  Audited audited(json);
  audited.again("pbs", R"({"auditPbs": {"coverage": {"absent": "none here"}}})");

  CHECK(audited.shut().why == "absent: none here, but lab.toml declares it: `expect` of the host");
}

namespace {

/// The lab with one more member, as JSON.
std::string lab_with(std::string_view member) {
  auto json = std::string(lab_json);
  return json.insert(json.find(R"("plan")"), fmt::format("{},\n  ", member));
}

const std::string media_guest = lab_with(R"("guests": [
  {"name": "media", "services": [{"kind": "sonarr"}, {"kind": "radarr", "planned": true},
                                 {"kind": "jellyfin"}, {"kind": "grafana"}]},
  {"name": "backup", "planned": true, "services": [{"kind": "pbs"}]}])");

/// An audit of the machine that `media_guest` describes.
Audited media_audited() {
  Audited audited(media_guest);
  audited.again("guests", R"({"auditGuests": {"guests": [{"vmid": 110, "name": "media"}]}})");
  audited.again("arr", R"({"auditArr": {"apps": [{"app": "sonarr"}]}})");
  audited.again("jellyfin", R"({"auditJellyfin": {"servers": [{"vmid": 110}]}})");
  audited.again("pbs", R"({"auditPbs": {"coverage": {"absent": "no PBS here"}}})");
  return audited;
}

}  // namespace

TEST_CASE("audit.complete: what is planned need not be found", "[controller][gates]") {
  CHECK(media_audited().gate().open);
}

TEST_CASE(
    "audit.complete: guests and services that are not planned must not be absent, `expect` or not",
    "[controller][gates]") {
  const auto row =
      GENERATE(table<std::string, std::string>({{"arr", "sonarr in the guest 'media'"},
                                                {"jellyfin", "jellyfin in the guest 'media'"},
                                                {"guests", "the guest 'media'"}}));
  const auto& [section, declared] = row;
  auto json = media_guest;
  if (GENERATE(false, true))
    json.replace(json.find(R"({"name": "pve"})"), 15, R"({"name": "pve", "expect": ["zfs"]})");
  auto audited = media_audited();
  audited.lab = must(Message<schema::Lab>::from_json(json));
  audited.again(section, "{\"" + arm_of(section) + R"(": {"coverage": {"absent": "none here"}}})");

  CHECK(audited.shut().why == "absent: none here, but lab.toml declares it: " + declared);
}

TEST_CASE("audit.complete: another application of the same section is no substitute",
          "[controller][gates]") {
  auto audited = media_audited();
  audited.again("arr", R"({"auditArr": {"apps": [{"app": "prowlarr"}]}})");

  CHECK(audited.shut().why ==
        "incomplete: sonarr is declared in the guest 'media', and was found nowhere");
}

TEST_CASE("audit.complete: a section that found no server has not found the declared one",
          "[controller][gates]") {
  auto audited = media_audited();
  audited.again("jellyfin", R"({"auditJellyfin": {}})");

  CHECK(audited.shut().why ==
        "incomplete: jellyfin is declared in the guest 'media', and was found nowhere");
}

TEST_CASE("audit.complete: a declared guest must be seen, by its number or its name",
          "[controller][gates]") {
  auto audited = media_audited();

  audited.again("guests", R"({"auditGuests": {"guests": [{"vmid": 101, "name": "other"}]}})");
  CHECK_THAT(audited.shut().why,
             Catch::StartsWith("incomplete: the guest 'media' (0) is declared, and was not seen"));
  audited.records.now += std::chrono::minutes(1);
  audited.again("guests", R"({"auditGuests": {"guests": [{"vmid": 101, "name": "media"}]}})");
  CHECK(audited.gate().open);
}

TEST_CASE("audit.complete: a section that `expect` names must have found something",
          "[controller][gates]") {
  auto json = std::string(lab_json);
  json.replace(json.find(R"({"name": "pve"})"), 15, R"({"name": "pve", "expect": ["schedules"]})");
  Audited audited(json);
  CHECK(audited.shut().why ==
        "incomplete: `expect` of the host names this section, and nothing of it was found");

  audited.records.now += std::chrono::minutes(1);
  audited.again("schedules", R"({"auditSchedules": {"timers": [{"name": "x.timer"}]}})");

  CHECK(audited.gate().open);
}

TEST_CASE("audit.complete: what a removed server left behind is no server", "[controller][gates]") {
  Audited audited(lab_with(R"("guests": [
    {"name": "backup", "planned": false, "services": [{"kind": "pbs"}]}])"));
  const auto found = [&](std::string_view installed) {
    audited.records.now += std::chrono::minutes(1);
    audited.again("guests", R"({"auditGuests": {"guests": [{"name": "backup"}]}})");
    audited.again(
        "pbs", fmt::format(R"({{"auditPbs": {{"servers": [{{"installed": {}}}]}}}})", installed));
  };

  found("false");
  CHECK(audited.shut().why ==
        "incomplete: pbs is declared in the guest 'backup', and was found nowhere");
  found("true");
  CHECK(audited.gate().open);
}

TEST_CASE("audit.complete: each declared card is a device of its own", "[controller][gates]") {
  constexpr auto arc = R"({"address": "0000:03:00.0", "classId": "030000", "vendorId": "8086",
                           "deviceId": "56a6"})";
  constexpr auto sound = R"({"address": "0000:04:00.1", "classId": "040300", "vendorId": "10de",
                             "deviceId": "228e"})";
  Audited audited(lab_with(R"("gpus": [
    {"name": "arc", "vendor": "intel", "model": "Arc A310", "pciId": "8086:56a6"},
    {"name": "rtx", "vendor": "nvidia", "model": "RTX 3060"},
    {"name": "later", "vendor": "amd", "model": "RX 6600", "planned": true}])"));
  const auto found = [&](std::string_view devices) {
    audited.records.now += std::chrono::minutes(1);
    audited.again("pci", fmt::format(R"({{"auditPci": {{"devices": [{}]}}}})", devices));
  };

  found(fmt::format("{}, {}", arc, sound));
  CHECK(audited.shut().why ==
        "incomplete: the card 'rtx' (RTX 3060) is declared, and was not seen");

  found(
      fmt::format("{}", R"({"address": "0000:04:00.0", "classId": "030000", "vendorId": "10de"})"));
  CHECK(audited.shut().why ==
        "incomplete: the card 'arc' (Arc A310, PCI id 8086:56a6) is declared, and was not seen");

  found(fmt::format("{}, {}", arc,
                    R"({"address": "0000:04:00.0", "classId": "030000", "vendorId": "10de"})"));
  CHECK(audited.gate().open);
}

TEST_CASE("audit.complete: one card does not stand for two", "[controller][gates]") {
  Audited audited(lab_with(R"("gpus": [{"name": "a", "vendor": "amd", "model": "RX 6600"},
                                       {"name": "b", "vendor": "amd", "model": "RX 6600"}])"));
  audited.again("pci", R"({"auditPci": {"devices": [
    {"address": "0000:04:00.0", "classId": "038000", "vendorId": "1002"}]}})");

  CHECK(audited.shut().why == "incomplete: the card 'b' (RX 6600) is declared, and was not seen");
}

TEST_CASE("audit.complete: a declared pool or disk that was not seen keeps the gate shut",
          "[controller][gates]") {
  Audited pool;
  pool.again("zfs", R"({"auditZfs": {"pools": [{"name": "other"}]}})");
  Audited disk;
  disk.again("disks", R"({"auditDisks": {"disks": [{"serial": "SER1"}, {"serial": "USB1"}]}})");

  CHECK(pool.shut().why == "incomplete: the pool 'tank' is declared, and is not imported here");
  CHECK(disk.shut().why ==
        "incomplete: the disk 'd2' with the serial SER2 is declared, and was not seen");
}

TEST_CASE("audit.complete: a report without facts, or with those of another kind, is a failure",
          "[controller][gates]") {
  Audited audited;
  audited.again("pci", GENERATE(as<std::string>(), "{}", R"({"auditZfs": {}})"));

  CHECK(audited.shut().why == "failed: the report carries the facts of another kind");
}

TEST_CASE("audit.complete: evidence of another machine does not count", "[controller][gates]") {
  Audited audited;
  audited.again("pci", ReportParts{.facts = facts_of("pci"), .machine_id = "another"});

  CHECK(audited.shut().why ==
        "missing: the evidence is of another machine than the one that is enrolled now");
}

TEST_CASE("audit.complete: a reinstalled host must be audited anew", "[controller][gates]") {
  Audited audited;
  audited.records.enrol("pve", fixed_keys(3), "another");

  const auto gate = audited.gate();

  CHECK_FALSE(gate.open);
  for (const auto& finding : gate.verdicts[0].findings)
    CHECK(finding.why ==
          "missing: the evidence is of another machine than the one that is enrolled now");
}

TEST_CASE("audit.complete: every host of the lab is asked for", "[controller][gates]") {
  auto json = std::string(lab_json);
  json.replace(json.find(R"({"name": "pve"})"), 15, R"({"name": "pve"}, {"name": "nas"})");
  const Audited audited(json);

  const auto gate = audited.gate();

  CHECK_FALSE(gate.open);
  CHECK(std::ranges::count(gate.verdicts[0].findings, true, &Finding::met) == 11);
  CHECK(std::ranges::count(gate.verdicts[0].findings, false, &Finding::met) == 11);
}

TEST_CASE("audit.complete: a lab without hosts proves nothing", "[controller][gates]") {
  const auto lab = must(Message<schema::Lab>::from_json(R"({"name": "home"})"));
  const Records records;

  CHECK_FALSE(
      audit_complete({.lab = lab.reader(), .state = records.state, .now = records.now}, day).met);
}

}  // namespace relab::controller
