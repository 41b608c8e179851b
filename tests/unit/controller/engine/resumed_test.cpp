// Runs that were interrupted: what the engine makes of what the ledger says.

#include <catch2/catch.hpp>

#include "tests/unit/controller/engine/engine_script.h"

namespace relab::controller {

TEST_CASE("engine: an interrupted run goes on where the ledger says it was",
          "[controller][engine]") {
  Script script(
      {{step("a/1"), step("a/2")}, {step("b/1"), step("b/2")}, {step("c/1"), step("c/2")}},
      {resumed("a/1", 101, 1, Outcome::SUCCEEDED), resumed("b/1", 102, 1),
       resumed("c/1", 103, 1, Outcome::FAILED)});

  CHECK(script.up({task(102)}) == Words{"order a/2 as 1, attempt 1"});
  CHECK(script.engine().count(StepState::succeeded) == 1);
  CHECK(script.engine().count(StepState::accepted) == 1);
  CHECK(script.engine().count(StepState::failed) == 1);
  CHECK(script.engine().count(StepState::blocked) == 1);
  CHECK(script.reported(102) == Words{"order b/2 as 2, attempt 1"});
}

TEST_CASE("engine: a resumed order is sent again under its old id", "[controller][engine]") {
  Script script({{step("a/1")}}, {resumed("a/1", 101, 2)});

  CHECK(script.up() == Words{"order a/1 as 101, attempt 2"});
}

TEST_CASE("engine: attempts count across interruptions", "[controller][engine]") {
  Script script({{step("a/1")}}, {resumed("a/1", 101, 1, Outcome::UNKNOWN),
                                  resumed("a/1", 102, 2, Outcome::UNKNOWN)});

  CHECK(script.up().empty());
  CHECK(script.tick(minute) == Words{"order a/1 as 1, attempt 3"});
  CHECK(script.reported(1, Outcome::UNKNOWN).empty());
  CHECK(script.first().state == StepState::failed);
}

TEST_CASE("engine: what was given up before an interruption is not ordered a second time",
          "[controller][engine]") {
  auto given_up = resumed("a/1", 101, 1);
  given_up.closed = "no report came within the deadline";
  Script script({{step("a/1")}}, {given_up});

  CHECK(script.engine().done());
  CHECK(script.up().empty());
  CHECK(script.first().why == "no report came within the deadline");
}

TEST_CASE("engine: a report that came after all counts when the run goes on",
          "[controller][engine]") {
  auto late = resumed("a/1", 101, 1, Outcome::SUCCEEDED);
  late.closed = "no report came within the deadline";
  Script script({{step("a/1"), step("a/2")}}, {late});

  CHECK(script.up() == Words{"order a/2 as 1, attempt 1"});
}

TEST_CASE("engine: what was given up with the agent's journal is tried again after an interruption",
          "[controller][engine]") {
  auto lost = resumed("a/1", 101, 1);
  lost.closed = "the agent lost its journal";
  lost.journal_lost = true;
  Script converging({{step("a/1")}}, {lost});
  Script once({{once_only("a/1")}}, {lost});
  converging.up();

  CHECK(converging.tick(minute) == Words{"order a/1 as 1, attempt 2"});
  CHECK(once.engine().done());
  CHECK(once.first().state == StepState::failed);
}

}  // namespace relab::controller
