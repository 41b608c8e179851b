#pragma once

/// A ledger in which one host's whole audit was reported, for the tests of gates.

#include <algorithm>
#include <capnp/schema.h>
#include <string>
#include <string_view>

#include "common/reflect/notes.h"
#include "controller/gates/gate.h"
#include "tests/support/records.h"

namespace relab::controller {

/// One host with one data pool of two disks, and a phase 1 that asks for the audit.
inline constexpr std::string_view lab_json = R"({"name": "home",
  "hosts": [{"name": "pve"}],
  "disks": [{"name": "d1", "serial": "SER1", "role": "data"},
            {"name": "d2", "serial": "SER2", "role": "data"},
            {"name": "usb", "serial": "USB1", "role": "backup"}],
  "pools": [{"name": "tank", "disks": ["d1", "d2"]}],
  "plan": {"phases": [
    {"name": "0a", "title": "audit"},
    {"name": "1", "title": "rebuild",
     "gate": [{"name": "audit.complete", "maxAge": 86400}]}]}})";

inline std::string arm_of(const std::string& section) {
  for (const auto field : reflect::choices(capnp::Schema::from<schema::Task>()))
    if (reflect::notes_of(field).audit == section) return field.getProto().getName().cStr();
  FAIL("no such section: " << section);
  return {};
}

inline std::string facts_of(const std::string& section) {
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

}  // namespace relab::controller
