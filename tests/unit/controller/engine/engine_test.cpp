// Sequences of events, and exactly what the engine orders then.

#include "controller/engine/engine.h"

#include <fmt/format.h>

#include "tests/support/must.h"

namespace relab::controller {

namespace {

using schema::Outcome;
using schema::Refusal;
using Words = std::vector<std::string>;

constexpr auto minute = std::chrono::seconds(60);

TaskId task(std::uint8_t number) {
  TaskId id;
  id.bytes.back() = number;
  return id;
}

std::string line_of(const effect::Order& e) {
  return fmt::format("order {} as {}, attempt {}", e.step, e.task.bytes.back(), e.attempt);
}
std::string line_of(const effect::Abandon& e) {
  return fmt::format("abandon {}: {}", e.task.bytes.back(), e.why);
}
std::string line_of(const effect::RecordRefusal& e) {
  return fmt::format("record the refusal of {}", e.task.bytes.back());
}
std::string line_of(const effect::Reattach& e) { return "reattach " + e.agent; }
std::string line_of(const effect::Cancel& e) {
  return fmt::format("cancel {} at {}", e.task.bytes.back(), e.agent);
}

PlannedStep step(const std::string& path, const std::string& agent = "pve") {
  return {.path = path,
          .agent = agent,
          .arm = "ping",
          .deadline = minute,
          .convergent = true,
          .task = {}};
}

PlannedStep once_only(const std::string& path) {
  auto planned = step(path);
  planned.convergent = false;
  return planned;
}

/// An engine with a clock; tasks are numbered from 1, effects are words.
class Script {
 public:
  enum class Orders { some, none };
  explicit Script(std::vector<std::vector<PlannedStep>> tracks,
                  const std::vector<Resumed>& resumed = {}, Orders orders = Orders::some)
      : engine_(
            {.phase = {.name = "0a", .title = {}, .tracks = std::move(tracks)},
             .resumed = resumed,
             .collect_only = orders == Orders::none},
            [this] { return task(++last_); }, [this](const PlannedStep&) { return clearance; },
            now_) {}
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
  ~Script() = default;

  Words on(const Event& event) {
    Words words;
    for (const auto& effect : engine_.on(event, now_))
      words.push_back(std::visit([](const auto& e) { return line_of(e); }, effect));
    return words;
  }
  Words up(std::set<TaskId> held = {}) {
    return on(event::AgentUp{.agent = "pve", .held = std::move(held)});
  }
  Words up_without_journal() {
    return on(event::AgentUp{.agent = "pve", .held = {}, .journal_lost = true});
  }
  Words down() { return on(event::AgentDown{"pve"}); }
  Words accepted(std::uint8_t number) { return on(event::Accepted{task(number)}); }
  Words refused(std::uint8_t number, Refusal refusal) {
    return on(event::Refused{.task = task(number), .refusal = refusal, .what = "so it says"});
  }
  Words reported(std::uint8_t number, Outcome outcome = Outcome::SUCCEEDED) {
    return on(event::Reported{.task = task(number), .outcome = outcome});
  }
  Words tick(std::chrono::seconds later = {}) {
    now_ += later;
    return on(event::Ticked{});
  }
  Words cancel(std::optional<TaskId> which = {}) { return on(event::CancelAsked{which}); }
  const Engine& engine() const { return engine_; }
  const StepRun& first() const { return engine_.tracks()[0][0]; }

  /// Of every step that is guarded.
  Clearance clearance = {};

 private:
  std::uint8_t last_ = 0;
  Instant now_ = Instant(std::chrono::hours(1));
  Engine engine_;
};

Resumed resumed(const std::string& path, std::uint8_t number, std::uint32_t attempt,
                std::optional<Outcome> outcome = {}) {
  return {.step = path, .task = task(number), .attempt = attempt, .outcome = outcome};
}

}  // namespace

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
