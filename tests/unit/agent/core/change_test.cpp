// Changes that are undone unless they are confirmed: sequences of events, and what the agent does
// then.

#include <catch2/catch.hpp>

#include "tests/unit/agent/core/core_script.h"

namespace relab::agent {

namespace {

/// A core in which task 1 has made a change that waits for a minute.
class Changed : public Script {
 public:
  Changed() {
    on(event::Admitted{.id = task(1),
                       .task_digest = {},
                       .deadline = hour,
                       .known = {},
                       .confirm_within = std::chrono::seconds(60)});
    held = on(event::Ended{.id = task(1), .unconfirmed = true});
  }
  Words confirm() { return on(event::Confirmed{task(1)}); }
  Words still_so() { return on(event::Ended{.id = task(1), .unconfirmed = true}); }
  Words undone() { return on(event::Ended{task(1)}); }
  Words stuck() { return on(event::Ended{.id = task(1), .stuck = true, .why = "no way"}); }
  Words held;
};

}  // namespace

TEST_CASE("core: a change waits to be confirmed, and stays when it is", "[agent][core]") {
  Changed changed;
  CHECK(changed.held == Words{"1 hold for 60 s", "1 announce 60000 ms"});
  CHECK(changed.tick(std::chrono::seconds(1)).empty());
  CHECK(changed.tick(std::chrono::seconds(1)) == Words{"1 announce 58000 ms"});

  CHECK(changed.confirm() == Words{"1 review"});
  CHECK(changed.confirm().empty());
  CHECK(changed.still_so() == Words{"1 keep", "1 deliver"});
  CHECK(changed.confirm().empty());
  CHECK(changed.tick(hour).empty());
  CHECK(changed.on(event::Acknowledged{task(1)}) == Words{"1 release"});
}

TEST_CASE("core: a change that nobody confirms in time is undone", "[agent][core]") {
  Changed changed;

  CHECK(changed.tick(std::chrono::seconds(60)) ==
        Words{"1 undo: the change was not confirmed within 1 min 0 s"});
  CHECK(changed.confirm().empty());
  CHECK(changed.tick(hour).empty());
  CHECK(changed.cancel(1).empty());
  CHECK(changed.undone() == Words{"1 finish", "1 deliver"});
}

TEST_CASE("core: a confirmation that comes when the time is over is too late", "[agent][core]") {
  Changed changed;
  changed.pass(std::chrono::seconds(60));

  CHECK(changed.confirm().empty());
}

TEST_CASE("core: a change is undone when it is cancelled, or cannot be stored", "[agent][core]") {
  Changed cancelled;
  CHECK(cancelled.cancel(1) ==
        Words{"1 undo: it was cancelled before the change was confirmed (cancelled)"});
  Changed unstored;
  CHECK(unstored.on(event::HoldFailed{task(1)}) ==
        Words{"1 undo: the journal could not take that the change was made"});

  Script stopped;
  stopped.order(1);
  stopped.cancel(1);
  CHECK(stopped.on(event::Ended{.id = task(1), .unconfirmed = true}) ==
        Words{"1 undo: it was stopped before the change was confirmed (cancelled)"});
}

TEST_CASE("core: what cannot be kept waits on, and is undone in time", "[agent][core]") {
  Changed changed;
  changed.confirm();
  changed.still_so();
  changed.on(event::KeepFailed{task(1)});

  CHECK(changed.confirm() == Words{"1 review"});
  CHECK(changed.still_so() == Words{"1 keep", "1 deliver"});
  changed.on(event::KeepFailed{task(1)});
  CHECK(changed.tick(std::chrono::seconds(60)).size() == 1);
}

TEST_CASE("core: a confirmed change that is not so any more is undone", "[agent][core]") {
  Changed changed;
  changed.confirm();

  CHECK(changed.on(event::Ended{.id = task(1), .why = "somebody took it off"}) ==
        Words{"1 undo: it was confirmed, but is not so any more: somebody took it off"});
}

TEST_CASE("core: a look that takes too long, or is cancelled, keeps nothing", "[agent][core]") {
  Changed late;
  late.confirm();
  CHECK(late.tick(std::chrono::seconds(60)) == Words{"1 stop: out of time"});
  CHECK(late.tick(std::chrono::seconds(60)).empty());
  CHECK(late.still_so() == Words{"1 undo: the change was not confirmed within 1 min 0 s"});

  Changed cancelled;
  cancelled.confirm();
  CHECK(cancelled.cancel(1) == Words{"1 stop: cancelled"});
  CHECK(cancelled.still_so() ==
        Words{"1 undo: it was cancelled before the change was confirmed (cancelled)"});
}

TEST_CASE("core: a way back that fails is taken again and again", "[agent][core]") {
  Changed changed;
  changed.tick(std::chrono::seconds(60));

  CHECK(changed.stuck().empty());
  CHECK(changed.tick(std::chrono::seconds(4)).empty());
  CHECK(changed.cancel(1).empty());
  CHECK(changed.tick(std::chrono::seconds(1)) ==
        Words{"1 undo: the change was not confirmed within 1 min 0 s"});
  for (int failure = 0; failure < 20; ++failure) {
    CHECK(changed.stuck().empty());
    CHECK(changed.tick(std::chrono::seconds(60)).size() == 1);
  }
  CHECK(changed.undone() == Words{"1 finish", "1 deliver"});
}

TEST_CASE("core: a failed task whose way back fails goes on trying", "[agent][core]") {
  Script script;
  script.order(1);

  CHECK(script.on(event::Ended{.id = task(1), .stuck = true, .why = "it broke"}).empty());
  CHECK(script.tick(std::chrono::seconds(5)) == Words{"1 undo: it broke"});
}

TEST_CASE("core: an agent that leaves undoes what nobody confirmed, if it can", "[agent][core]") {
  Changed changed;
  CHECK(changed.drain() == Words{"1 undo: the agent stopped before the change was confirmed"});
  CHECK(changed.tick().empty());
  CHECK(changed.undone() == Words{"1 finish", "1 deliver"});
  CHECK(changed.tick() == Words{"exit"});

  // The next life takes the way back.
  Changed stuck;
  stuck.drain();
  stuck.stuck();
  CHECK(stuck.tick() == Words{"exit"});

  Changed looked_at;
  looked_at.confirm();
  CHECK(looked_at.drain() == Words{"1 stop: draining"});
  CHECK(looked_at.tick().empty());
  CHECK(looked_at.still_so().size() == 1);
}

TEST_CASE("core: one resource is worked on by one task, and held until its change is settled",
          "[agent][core]") {
  Script script({.running_max = 4, .held_max = 9});
  const auto order_on = [&](std::uint8_t number, const std::string& resource) {
    return script.on(event::Admitted{.id = task(number),
                                     .task_digest = {},
                                     .deadline = hour,
                                     .known = {},
                                     .confirm_within = std::chrono::seconds(60),
                                     .resource = resource});
  };
  order_on(1, "interface a");

  CHECK(order_on(2, "interface a") == Words{"2 accept", "2 " + accepted});
  CHECK(order_on(3, "interface b").size() == 3);
  script.on(event::Ended{.id = task(1), .unconfirmed = true});
  CHECK(script.tick(std::chrono::seconds(59)).size() == 1);
  CHECK(script.tick(std::chrono::seconds(1)).size() == 1);
  script.on(event::Ended{.id = task(1), .stuck = true});
  CHECK(script.tick(std::chrono::seconds(5)).size() == 1);
  CHECK(script.end(1) == Words{"1 finish", "1 deliver", "2 begin", "2 start"});
}

TEST_CASE("core: what waited in an earlier life begins once everything is known", "[agent][core]") {
  Script script;
  const auto recover_on = [&](std::uint8_t number, TaskState state) {
    return script.on(event::Recovered{.id = task(number),
                                      .state = state,
                                      .deadline = hour,
                                      .armed = state == TaskState::unconfirmed,
                                      .confirm_within = std::chrono::seconds(60),
                                      .left = Millis(60'000),
                                      .resource = "interface a"});
  };
  CHECK(recover_on(1, TaskState::accepted).empty());
  CHECK(recover_on(2, TaskState::unconfirmed).empty());

  CHECK(script.tick() == Words{"2 announce 60000 ms"});
  script.on(event::Confirmed{task(2)});
  script.on(event::Ended{.id = task(2), .unconfirmed = true});
  CHECK(script.tick() == Words{"1 begin", "1 start"});
}

TEST_CASE("core: a change of an earlier life is undone if it was not finished, or its time is over",
          "[agent][core]") {
  const auto recovered = [](TaskState state, Millis left) {
    Script script;
    return script.on(event::Recovered{.id = task(1),
                                      .state = state,
                                      .deadline = hour,
                                      .armed = true,
                                      .confirm_within = std::chrono::seconds(60),
                                      .left = left});
  };

  CHECK(recovered(TaskState::running, Millis(0)) ==
        Words{"1 undo: the agent stopped while the change was made"});
  CHECK(recovered(TaskState::unconfirmed, Millis(0)).size() == 1);
  CHECK(recovered(TaskState::unconfirmed, Millis(1)).empty());
}

TEST_CASE("core: a change of an earlier life that waits is announced, and undone in time",
          "[agent][core]") {
  Script script;
  script.on(event::Recovered{.id = task(1),
                             .state = TaskState::unconfirmed,
                             .deadline = hour,
                             .armed = true,
                             .confirm_within = std::chrono::seconds(60),
                             .left = Millis(5000)});

  CHECK(script.tick() == Words{"1 announce 5000 ms"});
  CHECK(script.tick(std::chrono::seconds(5)).size() == 1);
}

}  // namespace relab::agent
