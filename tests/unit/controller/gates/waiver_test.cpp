// What a signed word of a person opens, and what it does not.

#include "controller/gates/waiver.h"

#include "tests/support/audited.h"

namespace relab::controller {

namespace {

using std::chrono::hours;

/// A host of which the sections zfs and pci are in a bad way.
class Doubtful : public Audited {
 public:
  explicit Doubtful(std::string_view json = lab_json) : Audited(json) {
    again("pci", ReportParts{.outcome = schema::Outcome::FAILED, .failure = "lspci hangs"});
  }

  Evidences evidences() const {
    return {.lab = lab.reader(), .state = records.state, .now = records.now};
  }
  Result<std::vector<Message<schema::Waiver>>> wish(const std::string& reason = "I know") const {
    return waivers_for(gate(), {.reason = reason, .valid_for = hours(24)}, evidences());
  }
  void waive() {
    for (auto& waiver : must(wish())) must(records.waive(std::move(waiver), records.controller));
  }
};

std::string with(const std::string& what, const std::string& instead) {
  std::string json(lab_json);
  json.replace(json.find(what), what.size(), instead);
  return json;
}

}  // namespace

TEST_CASE("waiver: opens the gate, and the verdict says why", "[controller][gates]") {
  Doubtful doubtful;
  CHECK_FALSE(doubtful.gate().open);

  doubtful.waive();

  const auto gate = doubtful.gate();
  CHECK(gate.open);
  CHECK_FALSE(gate.verdicts[0].met());
  CHECK(gate.verdicts[0].waived == "I know");
}

TEST_CASE("waiver: holds for its time only", "[controller][gates]") {
  Doubtful doubtful;
  doubtful.waive();
  doubtful.records.now += hours(22);
  CHECK(doubtful.gate().open);

  // One that was given in the future is of a clock that was set back.
  doubtful.records.now -= hours(22) + Millis(1);
  CHECK_FALSE(doubtful.gate().open);

  doubtful.records.now += hours(24);
  doubtful.again("zfs", facts_of("zfs"));
  CHECK_FALSE(doubtful.gate().open);
}

TEST_CASE("waiver: covers nothing that came later, nor the same in another standing",
          "[controller][gates]") {
  Doubtful another;
  another.waive();
  another.again("zfs", ReportParts{.outcome = schema::Outcome::FAILED, .failure = "zpool hangs"});
  CHECK_FALSE(another.gate().open);

  Doubtful other_standing;
  other_standing.waive();
  other_standing.again("pci", ReportParts{.facts = facts_of("pci"), .machine_id = "another"});
  CHECK_FALSE(other_standing.gate().open);
}

TEST_CASE("waiver: covers nothing that got worse in the same standing", "[controller][gates]") {
  Doubtful worse;
  worse.waive();
  REQUIRE(worse.gate().open);

  worse.again("pci", ReportParts{.outcome = schema::Outcome::FAILED, .failure = "no bus answers"});

  CHECK_FALSE(worse.gate().open);
}

TEST_CASE("waiver: is of one gate of one lab", "[controller][gates]") {
  const auto change = GENERATE(0, 1, 2, 3);
  Doubtful doubtful;
  auto waivers = must(doubtful.wish());
  REQUIRE(waivers.size() == 1);
  Draft<schema::Waiver> other(waivers[0].reader());
  if (change == 0) other->setPhase("2");
  if (change == 1) other->setLab("another");
  if (change == 2) other->setCondition("backup.proven");
  if (change == 3) other->setOf("0a");
  must(doubtful.records.waive(std::move(other).finish(), doubtful.records.controller));

  CHECK_FALSE(doubtful.gate().open);
}

TEST_CASE("waiver: one that the controller did not sign makes the ledger unreadable",
          "[controller][gates]") {
  Doubtful doubtful;
  auto waivers = must(doubtful.wish());

  CHECK(doubtful.records.waive(std::move(waivers[0]), doubtful.agent).error().fault ==
        Fault::damaged);
}

TEST_CASE("waiver: nobody can waive what is absolute", "[controller][gates]") {
  const auto absolute = with(R"("maxAge": 86400})", R"("maxAge": 86400, "absolute": true})");
  const auto before_destruction =
      with(R"({"name": "1", "title": "rebuild",)",
           R"({"name": "1", "title": "rebuild", "tracks": [{"name": "t", "agent": "pve", "steps": [
             {"name": "s", "task": {"wipeDisk": {"serial": "OLD1"}}}]}],)");
  Doubtful doubtful(GENERATE_COPY(absolute, before_destruction));

  const auto refused = doubtful.wish();

  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == Fault::refused);
  CHECK(refused.error().what ==
        "nobody can waive what keeps the gate of 1 shut: audit.complete of 1");
  CHECK(doubtful.gate().verdicts[0].absolute);
}

TEST_CASE("waiver: before an installation a person may excuse a pool or a trial, and nothing else",
          "[controller][gates]") {
  const auto asking_for = [](const std::string& gate) {
    std::string json(lab_json);
    const std::string old = R"("gate": [{"name": "audit.complete", "maxAge": 86400}])";
    return json.replace(json.find(old), old.size(),
                        R"("installs": ["pve"], "gate": [)" + gate + "]");
  };
  Doubtful excusable(asking_for(R"({"name": "pools.intact"})"));
  const auto look = [&](const std::string& found) {
    const auto task = task_number(++excusable.last);
    excusable.records.order({.task = task, .arm = "poolHealth", .params = R"({"pool": "tank"})"},
                            excusable.agent);
    must(excusable.records.report(
        {.task = task,
         .facts = R"({"poolHealth": {"vdevs": [{"pool": "tank", "name": "tank"},
             {"pool": "tank", "depth": 1, "parent": 0, "name": "a", "role": "data", "serial": "SER1"},
             {"pool": "tank", "depth": 1, "parent": 0, "name": "b", "role": "data",
              "state": "UNAVAIL"}], "scrubbedAt": ")" +
                  std::to_string(unix_millis(excusable.records.now)) + "\", " + found + "}}"},
        excusable.agent));
  };
  CHECK_FALSE(excusable.wish());
  look(R"("concerns": ["2 data error(s) that ZFS cannot repair"])");
  CHECK_FALSE(excusable.wish());
  look(R"("concerns": ["the pool is DEGRADED"], "onlyDegraded": true)");
  CHECK_FALSE(excusable.gate().open);
  excusable.waive();
  CHECK(excusable.gate().open);

  const auto* const other =
      GENERATE(R"({"name": "audit.complete"})", R"({"name": "data.survives"})",
               R"({"name": "key.proven"})", R"({"name": "pools.intact", "absolute": true})");
  const Doubtful absolute(asking_for(other));
  const auto refused = absolute.wish();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == Fault::refused);
}

TEST_CASE("waiver: nobody passes by an absolute gate one phase later", "[controller][gates]") {
  Doubtful doubtful(
      with(R"({"name": "1", "title": "rebuild",)",
           R"({"name": "1", "title": "rebuild", "tracks": [{"name": "t", "agent": "pve",
                              "steps": [{"name": "s", "task": {"ping": {}}}]}],
                            "gate": [{"name": "audit.complete", "absolute": true}]},
                            {"name": "later", "title": "more", "after": ["1"],
                             "tracks": [{"name": "t", "agent": "pve",
                              "steps": [{"name": "s", "task": {"ping": {}}}]}]},
                            {"name": "unused", "title": "other",)"));
  const auto gate = must(judge_entry("later", doubtful.evidences()));
  REQUIRE_FALSE(gate.open);

  const auto refused =
      waivers_for(gate, {.reason = "I know", .valid_for = hours(24)}, doubtful.evidences());

  REQUIRE_FALSE(refused);
  CHECK(refused.error().what.find("nobody can waive") == 0);
}

TEST_CASE("waiver: one that exists all the same opens no absolute gate", "[controller][gates]") {
  Doubtful doubtful;
  doubtful.waive();
  const auto strict = must(Message<schema::Lab>::from_json(
      with(R"("maxAge": 86400})", R"("maxAge": 86400, "absolute": true})")));

  const auto gate = must(judge_entry(
      "1", {.lab = strict.reader(), .state = doubtful.records.state, .now = doubtful.records.now}));

  CHECK_FALSE(gate.open);
  CHECK(gate.verdicts[0].waived.empty());
}

TEST_CASE("waiver: needs a reason, and something to waive", "[controller][gates]") {
  const Doubtful doubtful;
  CHECK(doubtful.wish("").error().fault == Fault::invalid);
  CHECK(doubtful.wish(" ").error().fault == Fault::invalid);
  CHECK(doubtful.wish("two\nlines").error().fault == Fault::invalid);
  CHECK(doubtful.wish(std::string(501, 'x')).error().fault == Fault::invalid);

  const Audited well;
  const auto nothing =
      waivers_for(well.gate(), {.reason = "I know", .valid_for = hours(1)},
                  {.lab = well.lab.reader(), .state = well.records.state, .now = well.records.now});
  CHECK(nothing.error().fault == Fault::conflict);
}

}  // namespace relab::controller
