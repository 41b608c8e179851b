// Random walks of the engine against a simple agent behind a bad line: frames are lost, agents
// restart, journals vanish, the controller dies and goes on from what it recorded.

#include <deque>
#include <fmt/format.h>
#include <map>

#include "controller/engine/engine.h"
#include "tests/support/must.h"
#include "tests/support/seed.h"

namespace relab::controller {

namespace {

using schema::Outcome;

constexpr std::string_view agents[] = {"pve", "nas"};

struct Frame {
  effect::Order order;
  int session;
};

class World {
 public:
  explicit World(Chance& chance) : chance_(chance) {
    for (std::size_t track = 0; track < 3; ++track)
      for (std::size_t i = 0; i < 3; ++i) {
        if (i == 0) plan_.tracks.emplace_back();
        plan_.tracks.back().push_back({.path = fmt::format("{}/{}", track, i),
                                       .agent = std::string(agents[track % 2]),
                                       .arm = "ping",
                                       .deadline = std::chrono::seconds(30),
                                       .convergent = chance_.one_in(2),
                                       .task = {}});
      }
    restart_controller();
  }

  void step() {
    now_ += std::chrono::seconds(chance_.below(20));
    switch (chance_.below(calm_ ? 6 : 10)) {
      case 0:
      case 1:
        return attach(std::string(agents[chance_.below(2)]));
      case 2:
      case 3:
        return run_some();
      case 4:
      case 5:
        return feed(event::Ticked{});
      case 6:
        return feed(event::AgentDown{std::string(agents[chance_.below(2)])});
      case 7:
        return restart_agent(std::string(agents[chance_.below(2)]));
      case 8:
        if (chance_.one_in(5)) restart_controller();
        return;
      default:
        if (!frames_.empty()) frames_.pop_front();
    }
  }

  void settle() {
    calm_ = true;
    for (int i = 0; i < 3000 && !engine_->done(); ++i) step();
    CHECK(engine_->done());
    for (const auto& track : engine_->tracks()) check_track(track);
  }

 private:
  struct Task {
    std::string step;
    std::string agent;
    Outcome outcome = Outcome::UNSET;
  };

  void check_track(const std::vector<StepRun>& track) {
    bool blocked = false;
    for (const auto& run : track) {
      CHECK((run.state == StepState::blocked) == (blocked && run.state != StepState::failed));
      blocked = blocked || run.state != StepState::succeeded;
      if (run.state != StepState::succeeded) continue;
      CHECK(done_.contains(run.step.path));
    }
  }

  void restart_controller() {
    std::vector<Resumed> resumed;
    for (const auto& [id, record] : ledger_) resumed.push_back(record);
    engine_ = std::make_unique<Engine>(
        RunPlan{.phase = plan_, .resumed = resumed}, [this] { return new_id(); },
        [](const PlannedStep&) { return Clearance{}; }, now_);
  }
  TaskId new_id() {
    TaskId id;
    id.bytes[15] = static_cast<std::uint8_t>(++last_);
    id.bytes[14] = static_cast<std::uint8_t>(last_ >> 8U);
    return id;
  }

  void feed(const Event& event) {
    for (const auto& effect : engine_->on(event, now_))
      std::visit([&](const auto& what) { perform(what); }, effect);
  }
  void perform(const effect::Order& effect) {
    const auto known = ledger_.find(effect.task);
    if (known != ledger_.end()) {
      REQUIRE(known->second.step == effect.step);
      REQUIRE(known->second.attempt == effect.attempt);
      REQUIRE(known->second.closed.empty());
    }
    REQUIRE(effect.attempt <= 3);
    ledger_[effect.task] = {
        .step = effect.step, .task = effect.task, .attempt = effect.attempt, .outcome = {}};
    if (calm_ || !chance_.one_in(4))
      frames_.push_back({.order = effect, .session = greeted_[planned(effect.step).agent]});
  }
  void perform(const effect::Abandon& effect) {
    ledger_.at(effect.task).closed = effect.why;
    ledger_.at(effect.task).journal_lost = effect.reason == schema::Abandoned::Reason::JOURNAL_LOST;
  }
  void perform(const effect::RecordRefusal& effect) { ledger_.at(effect.task).closed = "refused"; }
  void perform(const effect::Reattach& effect) { attach(effect.agent); }
  /// It is overdue, and given up at once.
  void perform(const effect::Cancel& effect) { REQUIRE(ledger_.at(effect.task).closed.empty()); }

  const PlannedStep& planned(const std::string& path) {
    for (const auto& track : plan_.tracks)
      for (const auto& step : track)
        if (step.path == path) return step;
    FAIL("an order for a step that is not planned: " << path);
    return plan_.tracks[0][0];
  }

  /// The agent's hello, then the reports that it has.
  void attach(const std::string& agent) {
    greeted_[agent] = sessions_[agent];
    std::set<TaskId> held;
    for (const auto& [id, task] : journals_[agent])
      if (!acknowledged_.contains(id)) held.insert(id);
    feed(event::AgentUp{.agent = agent, .held = held, .journal_lost = lost_.contains(agent)});
    for (const auto& id : held) deliver(agent, id);
  }
  void deliver(const std::string& agent, const TaskId& id) {
    const auto outcome = journals_[agent].at(id).outcome;
    if (outcome == Outcome::UNSET || (!calm_ && chance_.one_in(4))) return;
    ledger_.at(id).outcome = outcome;
    acknowledged_.insert(id);
    feed(event::Reported{.task = id, .outcome = outcome});
  }

  void run_some() {
    while (!frames_.empty()) {
      const auto frame = frames_.front();
      frames_.pop_front();
      take(frame);
    }
    for (const auto agent : agents)
      for (auto& [id, task] : journals_[std::string(agent)])
        if (task.outcome == Outcome::UNSET && !chance_.one_in(3)) finish(id, task);
  }
  void take(const Frame& frame) {
    const auto& order = frame.order;
    const auto agent = planned(order.step).agent;
    if (frame.session != sessions_[agent])
      return feed(event::Refused{
          .task = order.task, .refusal = schema::Refusal::WRONG_SESSION, .what = "old"});
    auto& journal = journals_[agent];
    if (!journal.contains(order.task)) {
      if (!calm_ && chance_.one_in(5))
        return feed(
            event::Refused{.task = order.task, .refusal = schema::Refusal::BUSY, .what = "busy"});
      journal[order.task] = {.step = order.step, .agent = agent};
      ++begun_[order.step];
      if (!planned(order.step).convergent) REQUIRE(begun_[order.step] == 1);
    }
    if (calm_ || !chance_.one_in(4)) feed(event::Accepted{order.task});
  }
  void finish(const TaskId& id, Task& task) {
    task.outcome = chance_.one_in(8) ? Outcome::FAILED : Outcome::SUCCEEDED;
    if (task.outcome == Outcome::SUCCEEDED) done_.insert(task.step);
    deliver(task.agent, id);
  }

  void restart_agent(const std::string& agent) {
    feed(event::AgentDown{agent});
    // The loss is told in one session only: the model does not let the agent die unheard in that.
    if (lost_.contains(agent) && greeted_[agent] != sessions_[agent]) attach(agent);
    ++sessions_[agent];
    for (auto& [id, task] : journals_[agent])
      if (task.outcome == Outcome::UNSET) task.outcome = Outcome::UNKNOWN;
    lost_.erase(agent);
    if (!chance_.one_in(6)) return;
    journals_[agent].clear();
    lost_.insert(agent);
  }

  Chance& chance_;
  bool calm_ = false;
  unsigned last_ = 0;
  Instant now_ = Instant(std::chrono::hours(1));
  PhasePlan plan_;
  std::unique_ptr<Engine> engine_;
  std::map<TaskId, Resumed> ledger_;
  std::deque<Frame> frames_;
  std::map<std::string, int> sessions_;
  std::map<std::string, int> greeted_;
  std::map<std::string, std::map<TaskId, Task>> journals_;
  std::set<TaskId> acknowledged_;
  std::set<std::string> lost_;
  std::set<std::string> done_;
  std::map<std::string, int> begun_;
};

}  // namespace

TEST_CASE("engine: no walk gives an id to two steps, or succeeds with what did not",
          "[controller][engine]") {
  const auto round = GENERATE(range(0U, 300U));
  Chance chance(round);
  INFO("RELAB_SEED=" << chance.seed());
  World world(chance);

  for (int i = 0; i < 150; ++i) world.step();
  world.settle();
}

}  // namespace relab::controller
