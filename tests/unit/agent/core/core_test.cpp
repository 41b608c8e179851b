// Sequences of events, and exactly what the agent does then.

#include <catch2/catch.hpp>

#include "tests/unit/agent/core/core_script.h"

namespace relab::agent {

TEST_CASE("core: an order is stored, started, answered, in this order", "[agent][core]") {
  Script script;

  CHECK(script.order(1) == Words{"1 accept running", "1 start", "1 " + running});
  CHECK(script.end(1) == Words{"1 finish", "1 deliver"});
  CHECK(script.acknowledge(1) == Words{"1 release"});
  CHECK(script.core().held().empty());
}

TEST_CASE("core: tasks beyond the workers wait, and start as one gets free", "[agent][core]") {
  Script script;
  script.order(1);
  script.order(2);

  CHECK(script.order(3) == Words{"3 accept", "3 " + accepted});
  CHECK(script.order(4) == Words{"4 accept", "4 " + accepted});
  CHECK(script.order(5) == Words{"5 refuse busy"});
  CHECK(script.end(2) == Words{"2 finish", "2 deliver", "3 begin", "3 start"});
  CHECK(script.acknowledge(2) == Words{"2 release"});
  CHECK(script.order(5) == Words{"5 accept", "5 " + accepted});
  CHECK(script.end(1) == Words{"1 finish", "1 deliver", "4 begin", "4 start"});
}

TEST_CASE("core: an order that is known is answered from the journal and never run again",
          "[agent][core]") {
  Script script;

  CHECK(script.order_known(1, TaskState::accepted) == Words{"1 " + accepted});
  CHECK(script.order_known(1, TaskState::running) == Words{"1 " + running});
  CHECK(script.order_known(1, TaskState::finished) == Words{"1 " + finished, "1 deliver"});
  CHECK(script.order_known(1, TaskState::acknowledged) == Words{"1 " + finished});
}

TEST_CASE("core: a known id with another task is a conflict, in every state", "[agent][core]") {
  Script script;
  const auto state = GENERATE(TaskState::accepted, TaskState::running, TaskState::finished,
                              TaskState::acknowledged);

  CHECK(script.order_known(1, state, {7}) == Words{"1 refuse conflict"});
}

TEST_CASE("core: known orders are answered even by an agent that is full or leaves",
          "[agent][core]") {
  Script script({.running_max = 1, .held_max = 1});
  script.order(1);
  script.drain();

  CHECK(script.order_known(1, TaskState::running) == Words{"1 " + running});
}

TEST_CASE("core: a task that ran when the agent died is unknown and never started",
          "[agent][core]") {
  Script script;

  CHECK(script.recover(1, TaskState::running) == Words{"1 conclude unknown"});
  CHECK(script.on(event::Attached{}) == Words{"1 deliver"});
  CHECK(script.tick(2 * hour).empty());
  CHECK(script.end(1).empty());
  CHECK(script.acknowledge(1) == Words{"1 release"});
}

TEST_CASE("core: tasks that waited when the agent died start, as many as there are workers",
          "[agent][core]") {
  Script script;

  CHECK(script.recover(1, TaskState::accepted).empty());
  CHECK(script.recover(2, TaskState::accepted).empty());
  CHECK(script.recover(3, TaskState::accepted).empty());
  CHECK(script.tick() == Words{"1 begin", "1 start", "2 begin", "2 start"});
  CHECK(script.end(1) == Words{"1 finish", "1 deliver", "3 begin", "3 start"});
}

TEST_CASE("core: a report that waited when the agent died is delivered when somebody attaches",
          "[agent][core]") {
  Script script;

  CHECK(script.recover(1, TaskState::finished).empty());
  CHECK(script.on(event::Attached{}) == Words{"1 deliver"});
  CHECK(script.on(event::Attached{}) == Words{"1 deliver"});
  CHECK(script.acknowledge(1) == Words{"1 release"});
  CHECK(script.on(event::Attached{}).empty());
}

TEST_CASE("core: a task cancelled before it began has a report that says so", "[agent][core]") {
  Script script({.running_max = 1, .held_max = 4});
  script.order(1);
  script.order(2);

  CHECK(script.cancel(2) == Words{"2 conclude cancelled", "2 deliver"});
  CHECK(script.cancel(2).empty());
  CHECK(script.end(1) == Words{"1 finish", "1 deliver"});
}

TEST_CASE("core: a running task is stopped once, and its end is reported as any other",
          "[agent][core]") {
  Script script;
  script.order(1, std::chrono::seconds(10));

  CHECK(script.cancel(1) == Words{"1 stop: cancelled"});
  CHECK(script.cancel(1).empty());
  CHECK(script.tick(hour).empty());
  CHECK(script.end(1) == Words{"1 finish", "1 deliver"});
  CHECK(script.cancel(1).empty());
}

TEST_CASE("core: a task beyond its deadline is stopped, counted from its start", "[agent][core]") {
  Script script({.running_max = 1, .held_max = 4});
  script.order(1, std::chrono::seconds(10));
  script.order(2, std::chrono::seconds(10));

  CHECK(script.tick(std::chrono::seconds(9)).empty());
  CHECK(script.tick(std::chrono::seconds(1)) == Words{"1 stop: out of time"});
  CHECK(script.end(1) == Words{"1 finish", "1 deliver", "2 begin", "2 start"});
  CHECK(script.tick(std::chrono::seconds(9)).empty());
  CHECK(script.tick(std::chrono::seconds(1)) == Words{"2 stop: out of time"});
}

TEST_CASE("core: an order that could not be stored is refused and forgotten", "[agent][core]") {
  Script script({.running_max = 1, .held_max = 1});
  script.order(1);

  CHECK(script.on(event::AcceptFailed{.id = task(1), .why = "disk full"}) ==
        Words{"1 refuse, not stored: disk full"});
  CHECK(script.core().held().empty());
  CHECK(script.order(1) == Words{"1 accept running", "1 start", "1 " + running});
}

TEST_CASE("core: a report that could not be stored is tried again, and not given away before",
          "[agent][core]") {
  Script script;
  script.order(1);
  script.end(1);
  script.on(event::FinishFailed{task(1)});

  CHECK(script.acknowledge(1).empty());
  CHECK(script.on(event::Attached{}).empty());
  CHECK(script.tick() == Words{"1 finish", "1 deliver"});
  CHECK(script.tick().empty());
  CHECK(script.acknowledge(1) == Words{"1 release"});
}

TEST_CASE("core: acknowledgements before the end and for strangers are ignored", "[agent][core]") {
  Script script({.running_max = 1, .held_max = 4});
  script.order(1);
  script.order(2);

  CHECK(script.acknowledge(1).empty());
  CHECK(script.acknowledge(2).empty());
  CHECK(script.acknowledge(9).empty());
  CHECK(script.cancel(9).empty());
  CHECK(script.end(9).empty());
  CHECK(script.core().held().size() == 2);
}

TEST_CASE("core: an agent that is told to leave takes nothing new and waits for what runs",
          "[agent][core]") {
  Script script({.running_max = 1, .held_max = 4, .drain_time = std::chrono::seconds(20)});
  script.order(1);
  script.order(2);

  CHECK(script.drain().empty());
  CHECK(script.order(3) == Words{"3 refuse draining"});
  CHECK(script.tick(std::chrono::seconds(19)).empty());
  CHECK(script.tick(std::chrono::seconds(1)) == Words{"1 stop: draining"});
  CHECK(script.end(1) == Words{"1 finish", "1 deliver"});
  CHECK(script.tick() == Words{"exit"});
  CHECK(script.tick().empty());
}

TEST_CASE("core: an idle agent that is told to leave leaves at once", "[agent][core]") {
  Script script;

  CHECK(script.drain() == Words{"exit"});
}

TEST_CASE("core: an agent does not leave before the last report is stored", "[agent][core]") {
  Script script;
  script.order(1);
  script.drain();
  script.end(1);
  script.on(event::FinishFailed{task(1)});

  CHECK(script.tick() == Words{"1 finish", "1 deliver"});
  script.on(event::FinishFailed{task(1)});
  CHECK(script.tick() == Words{"1 finish", "1 deliver"});
  CHECK(script.tick() == Words{"exit"});
}

TEST_CASE("core: a report that the journal would not let go is delivered once more",
          "[agent][core]") {
  Script script;
  script.order(1);
  script.end(1);
  CHECK(script.acknowledge(1) == Words{"1 release"});
  script.on(event::ReleaseFailed{task(1)});

  CHECK(script.on(event::Attached{}) == Words{"1 deliver"});
  CHECK(script.acknowledge(1) == Words{"1 release"});
  CHECK(script.on(event::Attached{}).empty());
}

TEST_CASE("core: a store that takes nothing keeps the agent no longer than a task would",
          "[agent][core]") {
  Script script({.running_max = 1, .held_max = 4, .drain_time = std::chrono::seconds(20)});
  script.order(1);
  script.end(1);
  script.on(event::FinishFailed{task(1)});
  script.drain();
  script.on(event::FinishFailed{task(1)});

  CHECK(script.tick(std::chrono::seconds(19)) == Words{"1 finish", "1 deliver"});
  script.on(event::FinishFailed{task(1)});
  CHECK(script.tick(std::chrono::seconds(1)) == Words{"1 finish", "1 deliver", "exit"});
}

}  // namespace relab::agent
