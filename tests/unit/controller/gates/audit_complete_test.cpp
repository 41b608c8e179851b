// What opens the gate after the audit, and each thing that keeps it shut.

#include <algorithm>
#include <fmt/format.h>

#include "tests/support/audited.h"

namespace relab::controller {

namespace {

constexpr auto day = std::chrono::hours(24);

}  // namespace

TEST_CASE("audit.complete: all sections, read whole, today: the gate opens",
          "[controller][gates]") {
  const Audited audited;

  const auto gate = audited.gate();

  CHECK(gate.open);
  REQUIRE(gate.verdicts.size() == 1);
  CHECK(gate.verdicts[0].findings.size() == 11);
  for (const auto& finding : gate.verdicts[0].findings) {
    CHECK(finding.met());
    CHECK(finding.why == "read 1 h 0 min ago");
    CHECK(finding.origin);
  }
}

TEST_CASE("audit.complete: without an agent nothing is met", "[controller][gates]") {
  Audited audited;
  audited.records.remove("pve");

  const auto gate = audited.gate();

  CHECK_FALSE(gate.open);
  for (const auto& finding : gate.verdicts[0].findings) {
    CHECK_FALSE(finding.met());
    CHECK(finding.why == "no agent 'pve' is enrolled");
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
    CHECK(finding.met() == (finding.subject != left_out + " of pve"));
    if (!finding.met()) CHECK(finding.why == "it was never read");
    if (!finding.met()) CHECK(finding.supply == "relab run 0a");
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

  for (const auto& finding : gate.verdicts[0].findings) CHECK(finding.why == "it was never read");
}

TEST_CASE("audit.complete: a later failure speaks against an earlier success",
          "[controller][gates]") {
  const auto outcome =
      GENERATE(schema::Outcome::FAILED, schema::Outcome::UNKNOWN, schema::Outcome::CANCELLED,
               schema::Outcome::REFUSED, schema::Outcome::UNSET);
  Audited audited;
  audited.again(
      "zfs", ReportParts{.outcome = outcome, .facts = facts_of("zfs"), .failure = "zpool hangs"});

  CHECK(audited.shut().why == "a later attempt failed: zpool hangs");
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

  CHECK(audited.shut().why == "a later attempt failed: zpool hangs");
}

TEST_CASE("audit.complete: a refused and an abandoned order are failures", "[controller][gates]") {
  Audited refused;
  refused.records.refuse(refused.ordered("zfs"), "the role forbids it", refused.agent);
  Audited abandoned;
  abandoned.records.abandon(abandoned.ordered("zfs"), "no report came");

  CHECK(refused.shut().why ==
        "a later attempt failed: the agent refused the order: the role forbids it");
  CHECK(abandoned.shut().why == "a later attempt failed: no report came");
}

TEST_CASE("audit.complete: a report that comes after all counts, though nobody waited for it",
          "[controller][gates]") {
  Audited audited;
  const auto task = audited.ordered("zfs");
  audited.records.abandon(task, "no report came");
  must(audited.records.report({.task = task, .facts = facts_of("zfs")}, audited.agent));

  CHECK(audited.gate().open);
}

TEST_CASE("audit.complete: each finding has its standing and the origin of its evidence",
          "[controller][gates]") {
  Audited audited;
  const auto standing = [&] { return audited.shut().standing; };
  const auto good = audited.gate().verdicts[0].findings[0];
  REQUIRE(good.origin);
  CHECK(good.origin->agent == "pve");
  const auto& task = audited.records.state.tasks().at(good.origin->task);
  CHECK(good.origin->digest == task.evidence->digest);
  CHECK(good.origin->ended == instant_of(task.evidence->report.reader().getEndedAt()));

  audited.again("zfs", R"({"auditZfs": {}})");
  CHECK(standing() == schema::Standing::UNMET);
  const auto failed = audited.again("zfs", ReportParts{.outcome = schema::Outcome::FAILED});
  CHECK(standing() == schema::Standing::CONTRADICTED);
  CHECK(audited.shut().origin->task == failed);
  audited.again("zfs", ReportParts{.facts = facts_of("zfs"), .machine_id = "another"});
  CHECK(standing() == schema::Standing::MISSING);
  audited.again("zfs", facts_of("zfs"));
  audited.records.now += 2 * day;
  const auto gate = audited.gate();
  REQUIRE_FALSE(gate.verdicts[0].findings.empty());
  for (const auto& finding : gate.verdicts[0].findings)
    CHECK(finding.standing == schema::Standing::STALE);
}

TEST_CASE("audit.complete: a failure contradicts nothing where nothing was read before",
          "[controller][gates]") {
  Audited audited;
  audited.records.enrol("nas", fixed_keys(3));
  const auto task = task_number(200);
  audited.records.order({.task = task, .arm = "auditZfs"}, fixed_keys(3));
  must(audited.records.report(
      {.task = task, .outcome = schema::Outcome::FAILED, .failure = "zpool hangs"}, fixed_keys(3)));
  auto json = std::string(lab_json);
  json.replace(json.find(R"({"name": "pve"})"), 15, R"({"name": "nas"})");
  const auto lab = must(Message<schema::Lab>::from_json(json));

  const auto gate = must(judge_entry(
      "1", {.lab = lab.reader(), .state = audited.records.state, .now = audited.records.now}));

  CHECK(gate.verdicts[0].findings[0].subject == "zfs of nas");
  CHECK(gate.verdicts[0].findings[0].standing == schema::Standing::UNMET);
  CHECK(gate.verdicts[0].findings[0].why == "it failed: zpool hangs");
}

TEST_CASE("audit.complete: evidence grows old", "[controller][gates]") {
  Audited audited;
  audited.records.now += day - std::chrono::hours(1);
  CHECK(audited.gate().open);

  audited.records.now += Millis(1);

  CHECK(audited.gate().verdicts[0].findings[0].why == "it is 1 d 0 h old, older than 1 d 0 h");
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

  CHECK(audited.shut().why == "it is 1 d 1 h old, older than 1 d 0 h");
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

  CHECK(audited.shut().why == "it was not read whole: a: 1; b: 2; c: 3; and 2 more");
}

TEST_CASE("audit.complete: a part that does not exist is told where the section is met",
          "[controller][gates]") {
  Audited audited;
  audited.again("services", R"({"auditServices": {"coverage": {"parts": [
    {"part": "units", "why": "no systemctl on this machine"}]}}})");

  const auto gate = audited.gate();

  CHECK(gate.open);
  const auto& findings = gate.verdicts[0].findings;
  const auto services = std::ranges::find_if(
      findings, [](const Finding& finding) { return finding.subject.starts_with("services of"); });
  REQUIRE(services != findings.end());
  CHECK(services->why.ends_with(
      "ago, without what is not here: units: no systemctl on this machine"));
}

TEST_CASE("audit.complete: a problem counts even in a section that calls itself absent",
          "[controller][gates]") {
  Audited audited;
  audited.again("pbs", R"({"auditPbs": {"coverage": {"absent": "no PBS here",
    "problems": [{"part": "storages", "why": "pvesh failed"}]}}})");

  CHECK(audited.shut().why == "it was not read whole: storages: pvesh failed");
}

TEST_CASE("audit.complete: a report without facts, or with those of another kind, is a failure",
          "[controller][gates]") {
  Audited audited;
  audited.again("pci", GENERATE(as<std::string>(), "{}", R"({"auditZfs": {}})"));

  CHECK(audited.shut().why ==
        "a later attempt failed: the report carries the facts of another kind");
}

TEST_CASE("audit.complete: evidence of another machine does not count", "[controller][gates]") {
  Audited audited;
  audited.again("pci", ReportParts{.facts = facts_of("pci"), .machine_id = "another"});

  CHECK(audited.shut().why ==
        "the evidence is of another machine than the one that is enrolled now");
}

TEST_CASE("audit.complete: a reinstalled host must be audited anew", "[controller][gates]") {
  Audited audited;
  audited.records.enrol("pve", fixed_keys(3), "another");

  const auto gate = audited.gate();

  CHECK_FALSE(gate.open);
  for (const auto& finding : gate.verdicts[0].findings)
    CHECK(finding.why == "the evidence is of another machine than the one that is enrolled now");
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
      audit_complete({.lab = lab.reader(), .state = records.state, .now = records.now}, day).met());
}

}  // namespace relab::controller
