// Which conditions the gate of a phase asks for.

#include "controller/gates/gate.h"

#include "tests/support/records.h"

namespace relab::controller {

namespace {

Message<schema::Lab> lab_with(const std::string& phases) {
  return must(Message<schema::Lab>::from_json(R"({"name": "home", "hosts": [{"name": "pve"}],
    "plan": {"phases": [)" + phases + "]}}"));
}

Result<Gate> entry(const Message<schema::Lab>& lab, const std::string& phase) {
  const Records records;
  return judge_entry(phase, {.lab = lab.reader(), .state = records.state, .now = records.now});
}

}  // namespace

TEST_CASE("gate: a phase without conditions is open", "[controller][gates]") {
  const auto gate = must(entry(lab_with(R"({"name": "0a"})"), "0a"));

  CHECK(gate.open);
  CHECK(gate.verdicts.empty());
}

TEST_CASE("gate: a predicate that does not exist keeps the gate shut, and hides no other",
          "[controller][gates]") {
  const auto lab =
      lab_with(R"({"name": "1", "gate": [{"name": "audit.complet"}, {"name": "audit.complete"},
                                         {"name": "moon.full"}]})");

  const auto gate = must(entry(lab, "1"));

  CHECK_FALSE(gate.open);
  REQUIRE(gate.verdicts.size() == 3);
  CHECK(gate.verdicts[0].findings[0].why ==
        "this version cannot judge it; did you mean 'audit.complete'?");
  CHECK(gate.verdicts[1].findings.size() == 11);
  CHECK(gate.verdicts[2].findings[0].why == "this version cannot judge it");
}

TEST_CASE("gate: a phase that does not exist is an error", "[controller][gates]") {
  CHECK(entry(lab_with(R"({"name": "1"})"), "2").error().fault == Fault::missing);
  CHECK(entry(lab_with(R"({"name": "1", "after": ["0"]})"), "1").error().fault == Fault::missing);
}

TEST_CASE("gate: what the phases before must prove is asked for, however far back",
          "[controller][gates]") {
  const auto lab = lab_with(R"({"name": "0a", "proves": [{"name": "audit.complete"}]},
    {"name": "1", "after": ["0a"]}, {"name": "2", "after": ["1", "0a"]})");

  const auto gate = must(entry(lab, "2"));

  CHECK_FALSE(gate.open);
  std::vector<std::string> conditions;
  for (const auto& verdict : gate.verdicts) conditions.push_back(verdict.condition);
  CHECK(conditions ==
        std::vector<std::string>{"phase.complete", "audit.complete", "phase.complete"});
}

TEST_CASE("gate: a phase does not wait for its own proof", "[controller][gates]") {
  const auto lab = lab_with(R"({"name": "0a", "proves": [{"name": "audit.complete"}]})");
  const Records records;

  CHECK(must(entry(lab, "0a")).open);
  CHECK_FALSE(
      must(judge_proof("0a", {.lab = lab.reader(), .state = records.state, .now = {}})).open);
}

TEST_CASE("gate: phases in a circle come to an end", "[controller][gates]") {
  const auto lab = lab_with(R"({"name": "1", "after": ["2"]}, {"name": "2", "after": ["1"]})");

  CHECK_FALSE(must(entry(lab, "1")).open);
}

namespace {

/// Phase 1 waits for a phase of two steps, of which the ledger tells.
class Before {
 public:
  Before() {
    records.enrol("pve", agent);
    begin(1);
  }

  void begin(std::uint8_t number) {
    run = {.bytes = {number}};
    Draft<schema::Entry> entry;
    auto started = entry->initRunStarted();
    started.setRun(blob(run.bytes));
    started.setPhase("0");
    must(records.add(std::move(entry)));
  }
  void end() {
    Draft<schema::Entry> entry;
    entry->initRunEnded().setRun(blob(run.bytes));
    must(records.add(std::move(entry)));
  }
  void step(const std::string& name, schema::Outcome outcome, std::uint32_t attempt = 1) {
    const auto task = task_number(++last);
    records.order({.task = task, .run = run, .attempt = attempt, .step = "0/t/" + name}, agent);
    must(records.report({.task = task, .run = run, .outcome = outcome}, agent));
  }
  Finding finding(const std::string& task = R"({"ping": {}})") const {
    const auto lab = lab_with(R"({"name": "1", "after": ["0"]}, {"name": "0", "tracks": [
      {"name": "t", "agent": "pve", "steps": [
        {"name": "a", "task": {"ping": {}}}, {"name": "b", "task": )" +
                              task + "}]}]}");
    const auto gate =
        must(judge_entry("1", {.lab = lab.reader(), .state = records.state, .now = records.now}));
    REQUIRE(gate.verdicts.size() == 1);
    CHECK(gate.open == gate.verdicts[0].findings[0].met());
    return gate.verdicts[0].findings[0];
  }

  Records records;
  RunId run;
  crypto::Keys agent = fixed_keys(2);
  std::uint8_t last = 0;
};

constexpr auto succeeded = schema::Outcome::SUCCEEDED;
constexpr auto failed = schema::Outcome::FAILED;

}  // namespace

TEST_CASE("phase.complete: the steps of the last run have all succeeded, and it has ended",
          "[controller][gates]") {
  Before before;
  before.step("a", succeeded);
  before.step("b", failed);
  before.step("b", succeeded, 2);
  CHECK(before.finding().why == "its last run has not ended");

  before.end();

  CHECK(before.finding().met());
}

TEST_CASE("phase.complete: what is missing or failed is named", "[controller][gates]") {
  Before before;
  before.step("a", succeeded);
  before.end();
  CHECK(before.finding().why == "0/t/b was never ordered");
  CHECK(before.finding().supply == "relab run 0");

  before.begin(2);
  before.step("a", succeeded);
  before.step("b", succeeded);
  before.step("b", failed, 2);
  before.end();
  CHECK(before.finding().why ==
        "0/t/b did not succeed when it was run last: its report has no success");
}

TEST_CASE("phase.complete: a later failure voids an earlier success", "[controller][gates]") {
  Before before;
  before.step("a", succeeded);
  before.step("b", failed);
  before.end();
  CHECK(before.finding().standing == schema::Standing::UNMET);

  before.begin(2);
  before.step("b", succeeded);
  before.end();
  CHECK(before.finding().met());

  before.begin(3);
  before.step("a", failed);
  before.end();
  CHECK(before.finding().standing == schema::Standing::CONTRADICTED);
  CHECK(before.finding().why ==
        "0/t/a did not succeed when it was run last: its report has no success");
  CHECK(before.finding().origin->task == task_number(before.last));
}

TEST_CASE("phase.complete: what was done for another lab.toml does not count",
          "[controller][gates]") {
  Before before;
  before.step("a", succeeded);
  before.step("b", succeeded);
  before.end();
  CHECK(before.finding().met());

  const auto changed = before.finding(R"({"ping": {"echo": "something else"}})");

  CHECK(changed.standing == schema::Standing::STALE);
  CHECK(changed.why == "lab.toml asks for another 0/t/b than the one that was carried out");
  CHECK(changed.supply == "relab run 0");
}

TEST_CASE("phase.complete: what another system did under that name does not count",
          "[controller][gates]") {
  Before before;
  before.step("a", succeeded);
  before.step("b", succeeded);
  before.end();
  REQUIRE(before.finding().met());
  SECTION("another machine") { before.records.enrol("pve", fixed_keys(3), "another"); }
  SECTION("another key") { before.records.enrol("pve", fixed_keys(3)); }
  SECTION("none") { before.records.remove("pve"); }

  CHECK(before.finding().standing == schema::Standing::STALE);
  CHECK(before.finding().supply == "relab run 0");
}

TEST_CASE("phase.complete: what was done before the plan reinstalled the host stays done",
          "[controller][gates]") {
  Before before;
  before.step("a", succeeded);
  before.step("b", succeeded);
  before.end();
  before.records.enrol("pve", fixed_keys(3), "another", true);
  CHECK(before.finding().met());
  before.records.enrol("pve", fixed_keys(4), "a third", true);
  CHECK(before.finding().met());
  // Somebody forgot to say so, or removed the agent in between.
  before.records.enrol("pve", fixed_keys(6), "a fourth");
  CHECK_FALSE(before.finding().met());
  before.records.enrol("pve", fixed_keys(6), "a fourth", true);
  CHECK(before.finding().met());
  before.records.remove("pve");
  CHECK_FALSE(before.finding().met());
  before.records.enrol("pve", fixed_keys(7), "a fifth", true);
  CHECK(before.finding().met());

  before.records.enrol("pve", fixed_keys(5), "a third");

  CHECK(before.finding().standing == schema::Standing::STALE);
}

TEST_CASE("phase.complete: a phase that was never run, or has no steps, is not complete",
          "[controller][gates]") {
  const auto why = [](const std::string& phases) {
    return must(entry(lab_with(phases), "1")).verdicts.at(0).findings.at(0).why;
  };

  CHECK(why(R"({"name": "1", "after": ["0"]}, {"name": "0", "tracks": [
    {"name": "t", "steps": [{"name": "a"}]}]})") == "it was never run");
  CHECK_THAT(why(R"({"name": "1", "after": ["0"]}, {"name": "0", "tracks": [{"name": "t"}]})"),
             Catch::StartsWith("it has no steps in lab.toml"));
}

}  // namespace relab::controller
