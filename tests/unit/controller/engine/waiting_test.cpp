// What the engine waits for: agents, evidence, approval, a person; and what is cancelled meanwhile.

#include <catch2/catch.hpp>

#include "tests/unit/controller/engine/engine_script.h"

namespace relab::controller {

TEST_CASE("engine: an agent that is away beyond its limit parks its tracks, and no other",
          "[controller][engine]") {
  Script script({{step("a/1")}, {step("b/1", "other")}});
  script.up();
  script.down();

  script.tick(std::chrono::seconds(30));
  CHECK(script.engine().stalled().empty());
  script.tick(std::chrono::seconds(1));
  CHECK(script.first().wait == Wait::agent);
  CHECK(script.first().why == "the agent 'pve' is away for longer than 30 s");
  CHECK(script.engine().stalled() == std::set{Wait::agent});
  CHECK(script.on(event::AgentUp{.agent = "other", .held = {}}) ==
        Words{"order b/1 as 2, attempt 1"});
  CHECK(script.engine().stalled().empty());
  CHECK(script.up({task(1)}).empty());
  CHECK(script.first().wait == Wait::nothing);
  CHECK(script.first().why.empty());
}

TEST_CASE("engine: a track says how long its agent may be away", "[controller][engine]") {
  auto slow = step("a/1");
  slow.patience = 10 * minute;
  Script script({{slow}});

  script.tick(9 * minute);
  CHECK(script.engine().stalled().empty());
  script.tick(2 * minute);
  CHECK(script.engine().stalled() == std::set{Wait::agent});
}

TEST_CASE("engine: nobody waits for an agent that was never enrolled", "[controller][engine]") {
  Script script({{step("a/1")}});

  script.on(event::AgentAbsent{.agent = "pve", .why = "no such agent"});

  CHECK(script.engine().stalled() == std::set{Wait::agent});
  CHECK(script.first().why == "no such agent");
}

namespace {

/// "a/install" of the agent 'pve' brings the agent 'guest', which "b/work" waits for.
struct Bringing {
  static std::vector<std::vector<PlannedStep>> tracks() {
    auto install = step("a/install");
    install.brings = "guest";
    return {{step("a/first"), install}, {step("b/work", "guest"), step("b/more", "guest")}};
  }
  Bringing() { script.on(event::AgentAbsent{.agent = "guest", .why = "no such agent"}); }
  const StepRun& work() const { return script.engine().tracks()[1][0]; }

  Script script{tracks()};
};

}  // namespace

TEST_CASE("engine: an agent that a step brings is waited for as long as that may come",
          "[controller][engine]") {
  Bringing scene;
  CHECK(scene.script.up() == Words{"order a/first as 1, attempt 1"});
  CHECK(scene.work().wait == Wait::nothing);
  CHECK(scene.script.engine().stalled().empty());
  scene.script.accepted(1);
  scene.script.reported(1);
  scene.script.accepted(2);

  // It takes its time to come up.
  scene.script.on(event::AgentKnown{"guest"});
  scene.script.reported(2);
  scene.script.tick(std::chrono::seconds(20));
  CHECK(scene.script.engine().stalled().empty());
  CHECK(scene.script.on(event::AgentUp{.agent = "guest", .held = {}}) ==
        Words{"order b/work as 3, attempt 1"});
}

TEST_CASE("engine: an agent that came, and does not answer, parks its track",
          "[controller][engine]") {
  Bringing scene;
  scene.script.up();
  scene.script.reported(1);
  scene.script.on(event::AgentKnown{"guest"});
  scene.script.reported(2);

  scene.script.tick(std::chrono::seconds(31));

  CHECK(scene.script.engine().stalled() == std::set{Wait::agent});
}

TEST_CASE("engine: what waits for an agent that did not come is blocked", "[controller][engine]") {
  Bringing scene;
  scene.script.up();
  SECTION("it failed") {
    scene.script.reported(1);
    scene.script.reported(2, Outcome::FAILED);
  }
  SECTION("something before it failed") { scene.script.reported(1, Outcome::FAILED); }
  SECTION("it brought nothing") {
    scene.script.reported(1);
    scene.script.reported(2);
  }
  CHECK(scene.work().state == StepState::blocked);
  CHECK(scene.work().why == "no agent came with a/install");
  CHECK(scene.script.engine().tracks()[1][1].state == StepState::blocked);
  CHECK(scene.script.engine().done());
}

TEST_CASE("engine: whoever waits for an agent waits for what that waits for",
          "[controller][engine]") {
  Bringing scene;
  scene.script.tick(std::chrono::seconds(31));

  CHECK(scene.work().wait == Wait::agent);
  CHECK(scene.work().why == "its agent comes with a/install");
  CHECK(scene.script.engine().stalled() == std::set{Wait::agent});
}

TEST_CASE("engine: a guarded step is ordered only while its clearance holds",
          "[controller][engine]") {
  auto guarded = step("a/1");
  guarded.destructive = true;
  Script script({{guarded}, {step("b/1")}});
  script.clearance = {.wait = Wait::approval, .why = "nobody approved it"};

  CHECK(script.up() == Words{"order b/1 as 1, attempt 1"});
  CHECK(script.tick(minute).empty());
  CHECK(script.first().wait == Wait::approval);
  script.clearance = {};
  CHECK(script.tick(std::chrono::seconds(1)) == Words{"order a/1 as 2, attempt 1"});
  // What the agent never got is not sent again when the clearance is gone.
  script.clearance = {.wait = Wait::evidence, .why = "it is stale"};
  script.down();
  CHECK(script.up({task(1)}).empty());
  CHECK(script.first().state == StepState::waiting);
  CHECK(script.first().wait == Wait::evidence);
}

TEST_CASE("engine: where the agent misses evidence or approval, the clearance is asked for anew",
          "[controller][engine]") {
  using schema::Refusal;
  const auto refusal = GENERATE(Refusal::NEED_UNMET, Refusal::NOT_APPROVED);
  auto guarded = step("a/1");
  guarded.destructive = true;
  Script script({{guarded}});
  script.up();

  // It may have a newer report, which comes meanwhile, and speaks against what was brought.
  CHECK(script.refused(1, refusal).empty());
  script.clearance = {.wait = Wait::evidence, .why = "it is stale"};
  CHECK(script.tick(std::chrono::seconds(1)).empty());
  CHECK(script.engine().stalled() == std::set{Wait::evidence});

  script.clearance = {};
  CHECK(script.tick(std::chrono::seconds(1)) == Words{"order a/1 as 1, attempt 1"});
  CHECK(script.refused(1, refusal).empty());
  CHECK(script.tick(std::chrono::seconds(2)) == Words{"order a/1 as 1, attempt 1"});
  CHECK(script.refused(1, refusal).empty());
  CHECK(script.tick(std::chrono::seconds(3)) == Words{"order a/1 as 1, attempt 1"});
  CHECK(script.refused(1, refusal) == Words{"record the refusal of 1"});
  CHECK(script.first().state == StepState::failed);
}

TEST_CASE("engine: a person is told what to do, and waited for, agent or not",
          "[controller][engine]") {
  auto plug = step("a/1");
  plug.instruction = "plug in the disk";
  Script there({{plug}});
  there.up();
  Script away({{plug}});
  away.tick(minute);

  CHECK(there.engine().stalled() == std::set{Wait::person});
  CHECK(away.engine().stalled() == std::set{Wait::person});
  CHECK(away.first().why == "plug in the disk");
  there.reported(1);
  CHECK(there.engine().done());
  CHECK(there.first().why.empty());
}

TEST_CASE("engine: a cancelled task is ended at its agent, and asked for until it is",
          "[controller][engine]") {
  Script script({{step("a/1"), step("a/2")}, {step("b/1")}});
  script.up();
  script.accepted(1);

  CHECK(script.cancel(task(1)) == Words{"cancel 1 at pve"});
  CHECK(script.tick(std::chrono::seconds(5)) == Words{"cancel 1 at pve"});
  script.down();
  CHECK(script.up({task(1), task(2)}) == Words{"cancel 1 at pve"});
  script.reported(1, Outcome::CANCELLED);
  CHECK(script.engine().count(StepState::failed) == 1);
  CHECK(script.engine().count(StepState::blocked) == 1);
  CHECK_FALSE(script.engine().done());
}

TEST_CASE("engine: a cancelled task that the agent never had is given up", "[controller][engine]") {
  Script script({{step("a/1")}});
  script.up();
  script.down();
  script.cancel(task(1));

  CHECK(script.up() == Words{"abandon 1: it was cancelled before the agent had it"});
  CHECK(script.engine().done());
}

TEST_CASE("engine: a cancelled task is not tried again", "[controller][engine]") {
  Script script({{step("a/1")}});
  script.up();
  script.cancel(task(1));

  const bool refused = GENERATE(false, true);
  if (refused)
    CHECK(script.refused(1, Refusal::BUSY) == Words{"record the refusal of 1"});
  else
    CHECK(script.reported(1, Outcome::UNKNOWN).empty());
  CHECK(script.engine().done());
}

TEST_CASE("engine: a cancelled run orders nothing more", "[controller][engine]") {
  Script script({{step("a/1"), step("a/2")}, {step("b/1", "other")}});
  script.up();

  CHECK(script.cancel() == Words{"cancel 1 at pve"});
  CHECK(script.on(event::AgentUp{.agent = "other", .held = {}}).empty());
  script.reported(1, Outcome::CANCELLED);
  CHECK(script.engine().done());
  CHECK(script.engine().count(StepState::succeeded) == 0);
}

TEST_CASE("engine: one that only collects orders nothing, and waits for what is out",
          "[controller][engine]") {
  Script script({{step("a/1"), step("a/2")}, {step("b/1")}}, {resumed("a/1", 101, 1)},
                Script::Orders::none);

  CHECK(script.up({task(101)}).empty());
  CHECK(script.engine().stalled().empty());
  CHECK(script.reported(101).empty());
  CHECK(script.engine().stalled() == std::set{Wait::nobody});
  CHECK_FALSE(script.engine().done());
}

}  // namespace relab::controller
