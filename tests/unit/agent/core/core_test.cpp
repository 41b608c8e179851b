// Sequences of events, and exactly what the agent does then.

#include "agent/core/core.h"

#include <fmt/format.h>

#include "tests/support/must.h"

namespace relab::agent {

namespace {

using schema::Outcome;
using schema::Refusal;
using schema::State;
using Words = std::vector<std::string>;

constexpr auto hour = std::chrono::seconds(3600);

TaskId task(std::uint8_t number) {
  TaskId id;
  id.bytes.back() = number;
  return id;
}

std::string words_of(const effect::Accept& e) { return e.begin ? "accept running" : "accept"; }
std::string words_of(const effect::Begin&) { return "begin"; }
std::string words_of(const effect::Start&) { return "start"; }
std::string words_of(const effect::Stop& e) {
  constexpr std::array reasons = {"cancelled", "out of time", "draining"};
  return fmt::format("stop: {}", reasons.at(static_cast<std::size_t>(e.reason)));
}
std::string words_of(const effect::Conclude& e) {
  return e.outcome == Outcome::UNKNOWN ? "conclude unknown" : "conclude cancelled";
}
std::string words_of(const effect::Finish&) { return "finish"; }
std::string words_of(const effect::Answer& e) {
  switch (e.refusal) {
    case Refusal::NONE:
      return fmt::format("answer {}", static_cast<int>(e.state));
    case Refusal::BUSY:
      return "refuse busy";
    case Refusal::DRAINING:
      return "refuse draining";
    case Refusal::TASK_CONFLICT:
      return "refuse conflict";
    case Refusal::STORE_FAILED:
      return "refuse, not stored: " + e.what;
    default:
      return "refuse for another reason";
  }
}
std::string words_of(const effect::Hold& e) { return fmt::format("hold for {} s", e.left.count()); }
std::string words_of(const effect::Announce& e) {
  return fmt::format("announce {} ms", e.left.count());
}
std::string words_of(const effect::Review&) { return "review"; }
std::string words_of(const effect::Undo& e) {
  return fmt::format("undo: {}{}", e.why, e.outcome == Outcome::CANCELLED ? " (cancelled)" : "");
}
std::string words_of(const effect::Keep&) { return "keep"; }
std::string words_of(const effect::Deliver&) { return "deliver"; }
std::string words_of(const effect::Release&) { return "release"; }

std::string line_of(const effect::Exit&) { return "exit"; }
template <typename E>
std::string line_of(const E& e) {
  return fmt::format("{} {}", e.id.bytes.back(), words_of(e));
}

/// A core with a clock, and effects as words: "1 accept running".
class Script {
 public:
  explicit Script(CoreLimits limits = {.running_max = 2, .held_max = 4}) : core_(limits) {}

  Words on(const Event& event) {
    Words words;
    for (const auto& effect : core_.on(event, now_))
      words.push_back(std::visit([](const auto& e) { return line_of(e); }, effect));
    return words;
  }
  Words order(std::uint8_t number, std::chrono::seconds deadline = hour) {
    return on(
        event::Admitted{.id = task(number), .task_digest = {}, .deadline = deadline, .known = {}});
  }
  Words order_known(std::uint8_t number, TaskState state, crypto::Digest digest = {}) {
    return on(event::Admitted{
        .id = task(number),
        .task_digest = {},
        .deadline = hour,
        .known = JournalRow{.id = task(number), .task_digest = digest, .state = state}});
  }
  Words recover(std::uint8_t number, TaskState state) {
    return on(event::Recovered{.id = task(number), .state = state, .deadline = hour});
  }
  Words end(std::uint8_t number) { return on(event::Ended{task(number)}); }
  Words acknowledge(std::uint8_t number) { return on(event::Acknowledged{task(number)}); }
  Words cancel(std::uint8_t number) { return on(event::CancelAsked{task(number)}); }
  Words tick(std::chrono::seconds later = {}) {
    now_ += later;
    return on(event::Ticked{});
  }
  void pass(std::chrono::seconds time) { now_ += time; }
  Words drain() { return on(event::DrainAsked{}); }
  const Core& core() const { return core_; }

 private:
  Core core_;
  Instant now_ = Instant(hour);
};

const std::string accepted = fmt::format("answer {}", static_cast<int>(State::ACCEPTED));
const std::string running = fmt::format("answer {}", static_cast<int>(State::RUNNING));
const std::string finished = fmt::format("answer {}", static_cast<int>(State::FINISHED));

}  // namespace

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
