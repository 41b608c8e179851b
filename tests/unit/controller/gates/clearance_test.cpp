// Below the plan: evidence and approval of a step that destroys.

#include "controller/gates/clearance.h"

#include "common/needs/approval.h"
#include "controller/gates/approval.h"
#include "tests/support/records.h"

namespace relab::controller {

namespace {

using std::chrono::hours;

constexpr auto facts = R"({"auditDisks": {"disks": [
  {"name": "sdb", "serial": "OLD1", "model": "WDC", "size": "4000"}]}})";

std::string lab_json(const std::string& serial = "OLD1", const std::string& other = "hello") {
  return R"({"name": "home", "hosts": [{"name": "pve"}], "plan": {"phases": [
    {"name": "0a", "tracks": [{"name": "disks", "agent": "pve", "steps": [
      {"name": "look", "task": {"auditDisks": {}}}]}]},
    {"name": "2", "title": "rebuild", "tracks": [{"name": "t", "agent": "pve", "steps": [
      {"name": "hello", "task": {"ping": {"echo": ")" +
         other + R"("}}}, {"name": "wipe", "task": {"wipeDisk": {"serial": ")" + serial +
         "\"}}}]}]}]}}";
}

/// A lab whose disks were looked at half an hour ago.
class Scene {
 public:
  Scene() {
    records.enrol("pve", agent);
    look(facts);
    records.now += std::chrono::minutes(30);
  }
  TaskId look(const std::string& what, schema::Outcome outcome = schema::Outcome::SUCCEEDED) {
    const auto task = task_number(++last);
    records.order({.task = task, .arm = "auditDisks", .step = "0a/disks/look"}, agent);
    must(records.report({.task = task, .outcome = outcome, .facts = what}, agent));
    return task;
  }
  Evidences evidences() const {
    return {.lab = lab.reader(), .state = records.state, .now = records.now};
  }
  PhasePlan plan() const { return must(compile_phase(lab.reader(), "2")); }
  std::vector<Deed> deeds() const { return deeds_of(plan(), evidences()); }
  /// A person approves of what there is now.
  void approve() {
    must(records.approve(approval_of(plan(), deeds(), hours(1), evidences()), records.controller));
  }
  Cleared cleared() const {
    const auto phase = plan();
    return clear(phase.tracks.at(0).at(1), plan_digest(phase), evidences());
  }
  Wait waits_for() const { return cleared().clearance.wait; }
  Finding finding() const {
    const auto judged = judge_needs(plan().tracks.at(0).at(1), evidences());
    REQUIRE(judged.findings.size() == 1);
    CHECK(judged.met() == judged.findings[0].met());
    return judged.findings[0];
  }

  Message<schema::Lab> lab = must(Message<schema::Lab>::from_json(lab_json()));
  Records records;
  crypto::Keys agent = fixed_keys(2);
  std::uint8_t last = 0;
};

}  // namespace

TEST_CASE("clearance: on evidence and approval, which the order then brings along",
          "[controller][gates]") {
  Scene scene;
  CHECK(scene.waits_for() == Wait::approval);
  CHECK(scene.cleared().clearance.why ==
        "it destroys something, and nobody has approved of it: look at it with `relab approve 2`");

  scene.approve();

  const auto cleared = scene.cleared();
  CHECK(cleared.clearance.wait == Wait::nothing);
  REQUIRE(cleared.grounds.evidence.size() == 1);
  CHECK(cleared.grounds.evidence[0]->digest ==
        scene.records.state.tasks().at(task_number(scene.last)).evidence->digest);
  CHECK(cleared.grounds.approval == &scene.records.state.approvals().at(0).envelope);
}

TEST_CASE("clearance: what is to be destroyed is shown by serial, model and size",
          "[controller][gates]") {
  const Scene scene;

  const auto deeds = scene.deeds();

  REQUIRE(deeds.size() == 1);
  CHECK(deeds[0].step.path == "2/t/wipe");
  CHECK(deeds[0].victims ==
        std::vector<std::string>{"disk OLD1: WDC, 3.9 KiB, nothing known on it"});
  CHECK(hosts_of(deeds) == std::set<std::string>{"pve"});
}

TEST_CASE("clearance: evidence that is stale, contradicted or of another key is none",
          "[controller][gates]") {
  Scene scene;
  scene.approve();
  auto standing = schema::Standing::UNMET;
  SECTION("too old") {
    scene.records.now += hours(1);
    standing = schema::Standing::STALE;
  }
  SECTION("from the future") {
    scene.records.now -= hours(1);
    standing = schema::Standing::STALE;
  }
  SECTION("a later look failed") {
    scene.look("{}", schema::Outcome::FAILED);
    standing = schema::Standing::MISSING;
  }
  SECTION("a later look shows it used") {
    scene.look(R"({"auditDisks": {"disks": [{"name": "sdb", "serial": "OLD1"}],
      "users": [{"disk": "sdb", "device": "sdb1", "kind": "zfs", "name": "tank"}]}})");
  }
  SECTION("another machine came under the name") {
    scene.records.enrol("pve", fixed_keys(3), "another");
    standing = schema::Standing::MISSING;
  }
  SECTION("the same machine was enrolled with another key") {
    scene.records.enrol("pve", fixed_keys(3));
    standing = schema::Standing::MISSING;
  }

  CHECK(scene.waits_for() == Wait::evidence);
  CHECK(scene.finding().standing == standing);
  CHECK(scene.finding().supply == "relab run 0a");
  CHECK(scene.cleared().grounds.evidence.empty());
}

TEST_CASE("clearance: what was destroyed since was not looked at", "[controller][gates]") {
  Scene scene;
  scene.approve();
  REQUIRE(scene.waits_for() == Wait::nothing);
  const auto wipe = [&](const std::string& serial, const std::string& step,
                        schema::Mode mode = schema::Mode::APPLY) {
    const auto task = task_number(++scene.last);
    scene.records.order({.task = task,
                         .arm = "wipeDisk",
                         .step = step,
                         .mode = mode,
                         .params = R"({"serial": ")" + serial + "\"}"},
                        scene.agent);
    return task;
  };
  bool outdated = true;
  SECTION("a task that succeeded") {
    must(scene.records.report({.task = wipe("OLD1", "2/t/wipe")}, scene.agent));
  }
  SECTION("a task that failed half way") {
    must(scene.records.report(
        {.task = wipe("OLD1", "2/t/wipe"), .outcome = schema::Outcome::FAILED}, scene.agent));
  }
  SECTION("a task of which nobody knows") {
    scene.records.abandon(wipe("OLD1", "2/t/wipe"), "no report came");
  }
  SECTION("a task of another step that may be at it") { wipe("OLD1", "2/u/wipe"); }
  SECTION("not the task that the order is for") {
    wipe("OLD1", "2/t/wipe");
    outdated = false;
  }
  SECTION("not an order that was refused") {
    scene.records.refuse(wipe("OLD1", "2/t/wipe"), "no", scene.agent);
    outdated = false;
  }
  SECTION("not another disk") {
    must(scene.records.report({.task = wipe("OLD2", "2/t/wipe")}, scene.agent));
    outdated = false;
  }
  SECTION("not a check") {
    must(
        scene.records.report({.task = wipe("OLD1", "2/t/wipe", schema::Mode::CHECK)}, scene.agent));
    outdated = false;
  }

  CHECK((scene.waits_for() == Wait::evidence) == outdated);
  if (!outdated) return;
  CHECK(scene.finding().standing == schema::Standing::STALE);
}

TEST_CASE("clearance: a look in check mode speaks against an earlier one", "[controller][gates]") {
  Scene scene;
  const auto task = task_number(++scene.last);
  scene.records.order({.task = task, .arm = "auditDisks", .mode = schema::Mode::CHECK},
                      scene.agent);
  must(scene.records.report({.task = task, .outcome = schema::Outcome::FAILED}, scene.agent));

  CHECK(scene.waits_for() == Wait::evidence);
}

TEST_CASE("clearance: the gate tells what each step will be asked for", "[controller][gates]") {
  Scene scene;
  const auto verdict = [&] {
    const auto verdicts = judge_guarded(scene.plan(), scene.evidences());
    REQUIRE(verdicts.size() == 1);
    CHECK(verdicts[0].condition == "2/t/wipe");
    CHECK(verdicts[0].absolute);
    REQUIRE(verdicts[0].findings.size() == 2);
    return verdicts[0];
  };
  CHECK(verdict().findings[0].met());
  CHECK(verdict().findings[1].standing == schema::Standing::MISSING);
  CHECK(verdict().findings[1].supply == "relab approve 2");

  scene.approve();
  CHECK(verdict().met());

  scene.records.now += hours(1);
  CHECK_FALSE(verdict().findings[0].met());
  CHECK_FALSE(verdict().findings[1].met());
}

TEST_CASE("clearance: other times or another instruction are another plan", "[controller][gates]") {
  const Scene scene;
  const auto digest = plan_digest(scene.plan());
  auto other = scene.plan();
  auto& step = other.tracks[0][0];
  SECTION("deadline") { step.deadline += std::chrono::seconds(1); }
  SECTION("time to confirm") { step.confirm_within += std::chrono::seconds(1); }
  SECTION("patience") { step.patience += std::chrono::seconds(1); }
  SECTION("instruction") { step.instruction = "pull the plug"; }
  SECTION("a gate that asks for something else") {
    other.conditions.emplace_back("1 proves: nothing");
  }

  CHECK(plan_digest(other) != digest);
}

TEST_CASE("clearance: without an agent or a look there is nothing to go by",
          "[controller][gates]") {
  Scene scene;
  scene.records.remove("pve");
  CHECK(scene.waits_for() == Wait::evidence);
  CHECK(scene.finding().why == "no agent 'pve' is enrolled");
}

TEST_CASE("clearance: an approval is void once plan or evidence change", "[controller][gates]") {
  Scene scene;
  scene.approve();
  SECTION("new evidence") { scene.look(facts); }
  SECTION("another disk") {
    scene.look(R"({"auditDisks": {"disks": [{"name": "sdb", "serial": "OLD1"},
      {"name": "sdc", "serial": "OLD2"}]}})");
    scene.approve();
    scene.lab = must(Message<schema::Lab>::from_json(lab_json("OLD2")));
  }
  SECTION("another step beside it") {
    scene.lab = must(Message<schema::Lab>::from_json(lab_json("OLD1", "something else")));
  }
  SECTION("it expired") {
    scene.records.now += std::chrono::minutes(15);
    must(scene.records.approve(
        approval_of(scene.plan(), scene.deeds(), std::chrono::minutes(1), scene.evidences()),
        scene.records.controller));
    scene.records.now += std::chrono::minutes(2);
    CHECK(scene.waits_for() == Wait::nothing);  // the first one still holds
    return;
  }

  CHECK(scene.waits_for() == Wait::approval);
}

TEST_CASE("clearance: an approval holds for its time only", "[controller][gates]") {
  Scene scene;
  must(scene.records.approve(
      approval_of(scene.plan(), scene.deeds(), std::chrono::minutes(5), scene.evidences()),
      scene.records.controller));
  CHECK(scene.waits_for() == Wait::nothing);

  scene.records.now += std::chrono::minutes(5) + Millis(1);

  CHECK(scene.waits_for() == Wait::approval);
}

TEST_CASE("clearance: the digest of a plan is that of every step", "[controller][gates]") {
  const auto digest = [](const std::string& json) {
    const auto lab = must(Message<schema::Lab>::from_json(json));
    return plan_digest(must(compile_phase(lab.reader(), "2")));
  };

  CHECK(digest(lab_json()) == digest(lab_json()));
  CHECK(digest(lab_json()) != digest(lab_json("OLD2")));
  CHECK(digest(lab_json()) != digest(lab_json("OLD1", "other")));
}

}  // namespace relab::controller
