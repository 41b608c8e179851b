// Sequences of events, and exactly what the engine orders then.

#include <catch2/catch.hpp>

#include "tests/unit/controller/engine/engine_script.h"

namespace relab::controller {

TEST_CASE("engine: nothing is ordered before the agent is there", "[controller][engine]") {
  Script script({{step("0a/zfs/zfs")}});

  CHECK(script.tick(minute).empty());
  CHECK_FALSE(script.engine().done());
  CHECK(script.engine().needed_agents() == std::set<std::string>{"pve"});
  CHECK(script.up() == Words{"order 0a/zfs/zfs as 1, attempt 1"});
  CHECK(script.reported(1).empty());
  CHECK(script.engine().done());
  CHECK(script.engine().needed_agents().empty());
}

TEST_CASE("engine: tracks go side by side, the steps of each in order", "[controller][engine]") {
  Script script({{step("a/1"), step("a/2")}, {step("b/1"), step("b/2")}, {step("c/1", "other")}});

  CHECK(script.up() == Words{"order a/1 as 1, attempt 1", "order b/1 as 2, attempt 1"});
  CHECK(script.accepted(1).empty());
  CHECK(script.reported(2) == Words{"order b/2 as 3, attempt 1"});
  CHECK(script.reported(1) == Words{"order a/2 as 4, attempt 1"});
  CHECK(script.on(event::AgentUp{.agent = "other", .held = {}}) ==
        Words{"order c/1 as 5, attempt 1"});
}

TEST_CASE("engine: a failed step blocks those behind it, and no other track",
          "[controller][engine]") {
  Script script({{step("a/1"), step("a/2"), step("a/3")}, {step("b/1")}});
  script.up();
  const auto outcome =
      GENERATE(Outcome::FAILED, Outcome::REFUSED, Outcome::CANCELLED, Outcome::UNSET);

  CHECK(script.reported(1, outcome).empty());

  CHECK(script.engine().count(StepState::failed) == 1);
  CHECK(script.engine().count(StepState::blocked) == 2);
  CHECK_FALSE(script.first().why.empty());
  CHECK_FALSE(script.engine().done());
  script.reported(2);
  CHECK(script.engine().done());
  CHECK(script.engine().count(StepState::succeeded) == 1);
}

TEST_CASE("engine: an order the agent does not have is sent again under the same id",
          "[controller][engine]") {
  Script script({{step("a/1")}});
  script.up();
  script.down();

  CHECK(script.up() == Words{"order a/1 as 1, attempt 1"});
  CHECK(script.up() == Words{"order a/1 as 1, attempt 1"});
}

TEST_CASE("engine: an order the agent has is not sent again", "[controller][engine]") {
  Script script({{step("a/1")}});
  script.up();
  script.down();

  CHECK(script.up({task(1)}).empty());
  CHECK(script.first().state == StepState::accepted);
}

TEST_CASE("engine: an accepted task that the agent does not know any more is not sent again",
          "[controller][engine]") {
  // It may have run: its journal is another one than that in which it was accepted.
  Script once({{once_only("a/1")}});
  once.up();
  once.accepted(1);
  Script again({{step("a/1")}});
  again.up();
  again.accepted(1);

  CHECK(once.up() == Words{"abandon 1: the agent lost its journal"});
  CHECK(once.first().state == StepState::failed);
  CHECK(again.up() == Words{"abandon 1: the agent lost its journal"});
  CHECK(again.tick(std::chrono::seconds(5)) == Words{"order a/1 as 2, attempt 2"});
}

TEST_CASE("engine: an unknown outcome is tried again three times, if the kind converges",
          "[controller][engine]") {
  Script script({{step("a/1")}});
  script.up();

  CHECK(script.reported(1, Outcome::UNKNOWN).empty());
  CHECK(script.tick(std::chrono::seconds(4)).empty());
  CHECK(script.tick(std::chrono::seconds(1)) == Words{"order a/1 as 2, attempt 2"});
  CHECK(script.reported(2, Outcome::UNKNOWN).empty());
  CHECK(script.tick(std::chrono::seconds(19)).empty());
  CHECK(script.tick(std::chrono::seconds(1)) == Words{"order a/1 as 3, attempt 3"});
  CHECK(script.reported(3, Outcome::UNKNOWN).empty());
  CHECK(script.first().state == StepState::failed);
}

TEST_CASE("engine: an unknown outcome of what does not converge is final", "[controller][engine]") {
  Script script({{once_only("a/1")}});
  script.up();

  CHECK(script.reported(1, Outcome::UNKNOWN).empty());
  CHECK(script.first().state == StepState::failed);
  CHECK(script.first().why == "nobody knows what became of it: the agent stopped while it ran");
}

TEST_CASE("engine: a new attempt waits for an agent that is away", "[controller][engine]") {
  Script script({{step("a/1")}});
  script.up();
  script.down();

  CHECK(script.reported(1, Outcome::UNKNOWN).empty());
  CHECK(script.tick(minute).empty());
  CHECK(script.up() == Words{"order a/1 as 2, attempt 2"});
}

TEST_CASE("engine: a lost journal ends the attempt; the id is never sent again",
          "[controller][engine]") {
  Script once({{once_only("a/1")}});
  once.up();
  Script again({{step("a/1")}});
  again.up();

  CHECK(once.up_without_journal() == Words{"abandon 1: the agent lost its journal"});
  CHECK(once.first().state == StepState::failed);
  CHECK(again.up_without_journal() == Words{"abandon 1: the agent lost its journal"});
  CHECK(again.tick(minute) == Words{"order a/1 as 2, attempt 2"});
}

TEST_CASE("engine: an order for another session asks for a new hello and goes out again",
          "[controller][engine]") {
  Script script({{step("a/1")}});
  script.up();

  CHECK(script.refused(1, Refusal::WRONG_SESSION) == Words{"reattach pve"});
  CHECK(script.tick(minute).empty());
  CHECK(script.up() == Words{"order a/1 as 1, attempt 1"});
}

TEST_CASE("engine: an agent that never likes the session is given up", "[controller][engine]") {
  Script script({{step("a/1")}});
  script.up();

  for (int i = 0; i < 20; ++i) {
    CHECK(script.refused(1, Refusal::WRONG_SESSION) == Words{"reattach pve"});
    script.up();
  }
  CHECK(script.refused(1, Refusal::WRONG_SESSION) == Words{"record the refusal of 1"});
  CHECK(script.engine().done());
}

TEST_CASE("engine: a refusal that passes is tried again, later each time", "[controller][engine]") {
  const auto refusal = GENERATE(Refusal::BUSY, Refusal::DRAINING, Refusal::STORE_FAILED);
  Script script({{step("a/1")}});
  script.up();

  CHECK(script.refused(1, refusal).empty());
  CHECK(script.tick().empty());
  CHECK(script.tick(std::chrono::seconds(1)) == Words{"order a/1 as 1, attempt 1"});
  CHECK(script.refused(1, refusal).empty());
  CHECK(script.tick(std::chrono::seconds(1)).empty());
  CHECK(script.tick(std::chrono::seconds(1)) == Words{"order a/1 as 1, attempt 1"});
}

TEST_CASE("engine: an attempt that is lost while its refused order waits is made anew",
          "[controller][engine]") {
  Script script({{step("a/1")}});
  script.up();
  script.refused(1, Refusal::BUSY);

  CHECK(script.up_without_journal() == Words{"abandon 1: the agent lost its journal"});
  CHECK(script.tick(minute) == Words{"order a/1 as 2, attempt 2"});
  script.refused(2, Refusal::BUSY);
  script.reported(2, Outcome::UNKNOWN);
  CHECK(script.tick(minute) == Words{"order a/1 as 3, attempt 3"});
}

TEST_CASE("engine: a refusal that passes does not pass for ever", "[controller][engine]") {
  Script script({{step("a/1")}});
  script.up();

  for (int i = 0; i < 20; ++i) {
    REQUIRE(script.refused(1, Refusal::BUSY).empty());
    REQUIRE(script.tick(std::chrono::seconds(20)).size() == 1);
  }
  CHECK(script.refused(1, Refusal::BUSY) == Words{"record the refusal of 1"});
  CHECK(script.first().state == StepState::failed);
}

TEST_CASE("engine: any other refusal is final and recorded", "[controller][engine]") {
  const auto refusal =
      GENERATE(Refusal::WRONG_AUDIENCE, Refusal::EXPIRED, Refusal::WRONG_LAB, Refusal::UNKNOWN_KIND,
               Refusal::KIND_FORBIDDEN, Refusal::LIMIT_EXCEEDED, Refusal::TASK_CONFLICT,
               Refusal::MALFORMED, Refusal::NONE);
  Script script({{step("a/1"), step("a/2")}});
  script.up();

  CHECK(script.refused(1, refusal) == Words{"record the refusal of 1"});
  CHECK(script.first().why == "the agent refused the order: so it says");
  CHECK(script.engine().done());
  CHECK(script.engine().count(StepState::succeeded) == 0);
}

TEST_CASE("engine: what was accepted cannot be refused any more", "[controller][engine]") {
  Script script({{step("a/1")}});
  script.up();
  script.accepted(1);

  CHECK(script.refused(1, Refusal::EXPIRED).empty());
  CHECK(script.first().state == StepState::accepted);
}

TEST_CASE("engine: a refused order that is accepted after all is not sent again",
          "[controller][engine]") {
  Script script({{step("a/1")}});
  script.up();
  script.refused(1, Refusal::BUSY);

  CHECK(script.accepted(1).empty());
  CHECK(script.tick(minute).empty());
  CHECK(script.first().state == StepState::accepted);
}

TEST_CASE("engine: a task without a report is given up after its deadline and some patience",
          "[controller][engine]") {
  Script script({{step("a/1")}});
  script.up();
  if (GENERATE(false, true)) script.accepted(1);

  CHECK(script.tick(minute + std::chrono::seconds(119)).empty());
  CHECK(script.tick(std::chrono::seconds(1)) ==
        Words{"cancel 1 at pve", "abandon 1: no report came within the deadline"});
  CHECK(script.first().state == StepState::failed);
}

TEST_CASE("engine: an agent that is away may take its time", "[controller][engine]") {
  Script script({{step("a/1")}});
  script.up();
  script.accepted(1);
  script.down();

  CHECK(script.tick(100 * minute).empty());
  CHECK(script.up({task(1)}).empty());
  CHECK(script.reported(1).empty());
  CHECK(script.engine().done());
}

TEST_CASE("engine: strangers and those who come late change nothing", "[controller][engine]") {
  Script script({{step("a/1")}});
  script.up();

  CHECK(script.reported(9).empty());
  CHECK(script.accepted(9).empty());
  CHECK(script.refused(9, Refusal::EXPIRED).empty());
  CHECK(script.first().state == StepState::ordered);
  script.reported(1, Outcome::FAILED);
  CHECK(script.reported(1).empty());
  CHECK(script.first().state == StepState::failed);
}

TEST_CASE("engine: an interrupted run with nothing left to do is done at once",
          "[controller][engine]") {
  Script script({{step("a/1"), step("a/2")}}, {resumed("a/1", 101, 1, Outcome::FAILED)});

  CHECK(script.engine().done());
  CHECK(script.engine().needed_agents().empty());
}

TEST_CASE("engine: a phase without steps is done, with nothing to show", "[controller][engine]") {
  Script script(std::vector<std::vector<PlannedStep>>(1));

  CHECK(script.engine().done());
  CHECK(script.engine().count(StepState::succeeded) == 0);
}

TEST_CASE("engine: every state and every wait has a name of its own", "[controller][engine]") {
  std::set<std::string_view> names;
  for (const auto state : {StepState::waiting, StepState::ordered, StepState::accepted,
                           StepState::succeeded, StepState::failed, StepState::blocked})
    names.insert(name(state));
  CHECK(names.size() == 6);
  CHECK(name(StepState::accepted) == "running");

  names.clear();
  for (const auto wait :
       {Wait::nothing, Wait::agent, Wait::evidence, Wait::approval, Wait::person, Wait::nobody})
    names.insert(name(wait));
  CHECK(names.size() == 6);
  CHECK_FALSE(names.contains("unknown"));
}

}  // namespace relab::controller
