// Random walks of the core over a disk that fails and an agent that dies at any effect. The model
// of the disk is a map; what is checked are the invariants that core.cpp promises.

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

#include "agent/core/core.h"
#include "tests/support/must.h"
#include "tests/support/seed.h"

namespace relab::agent {

namespace {

constexpr CoreLimits limits = {
    .running_max = 2, .held_max = 5, .drain_time = std::chrono::seconds(5)};

/// The agent dies here.
struct Crash {};

class World {
 public:
  explicit World(Chance& chance) : chance_(chance) {}

  void step() {
    now_ += std::chrono::seconds(chance_.below(3));
    try {
      feed(any_event());
    } catch (const Crash&) {
      restart();
    }
    // A way back never waits for a place.
    REQUIRE(workers_.size() - undoing_.size() - reviewing_.size() <= limits.running_max);
  }
  /// Lets everything come to its end, without further trouble.
  void settle() {
    calm_ = true;
    restart();
    for (int round = 0; round < 100; ++round) {
      now_ += std::chrono::seconds(1);
      if (!workers_.empty()) feed(ended());
      feed(event::Ticked{});
    }
    for (const auto& [id, state] : disk_) feed(event::Acknowledged{id});
    for (const auto& [id, state] : disk_) CHECK(state == TaskState::acknowledged);
    CHECK(core_->held().empty());
    // What was changed and not undone was confirmed.
    CHECK(std::ranges::includes(kept_, changed_));
  }

 private:
  TaskId any_task() {
    TaskId id;
    id.bytes[15] = static_cast<std::uint8_t>(chance_.below(12));
    return id;
  }

  Event admitted(const TaskId& id) {
    std::optional<JournalRow> known;
    if (const auto row = disk_.find(id); row != disk_.end())
      known = JournalRow{.id = id, .state = row->second};
    return event::Admitted{.id = id,
                           .task_digest = {},
                           .deadline = std::chrono::seconds(10),
                           .known = std::move(known),
                           .confirm_within = std::chrono::seconds(6),
                           .resource = resource_of(id)};
  }

  static std::string resource_of(const TaskId& id) {
    return id.bytes[15] % 3 == 0 ? "" : fmt::format("thing {}", id.bytes[15] % 3);
  }

  /// Every other task makes a change that has to be confirmed.
  Event ended() {
    const auto id = workers_.extract(workers_.begin()).value();
    if (reviewing_.erase(id) != 0) return event::Ended{.id = id, .unconfirmed = !chance_.one_in(4)};
    if (undoing_.erase(id) != 0) {
      if (!calm_ && chance_.one_in(3)) return event::Ended{.id = id, .stuck = true};
      changed_.erase(id);
      return event::Ended{.id = id};
    }
    if (id.bytes[15] % 2 == 0 || chance_.one_in(4)) return event::Ended{.id = id};
    armed_.insert(id);
    changed_.insert(id);
    return event::Ended{.id = id, .unconfirmed = true};
  }

  Event any_event() {
    switch (chance_.below(14)) {
      case 0:
        return event::Attached{};
      case 1:
        return event::CancelAsked{any_task()};
      case 2:
      case 3:
        return event::Acknowledged{any_task()};
      case 4:
      case 5:
        return event::Ticked{};
      case 6:
      case 7:
        if (!workers_.empty()) return ended();
        return event::Ticked{};
      case 8:
        if (chance_.one_in(20)) return event::DrainAsked{};
        return event::Ticked{};
      case 9:
      case 10:
        return event::Confirmed{any_task()};
      default:
        return admitted(any_task());
    }
  }

  /// As the service does it: an order that was not stored ends what was to follow it.
  void feed(const Event& event) {
    for (const auto& effect : core_->on(event, now_))
      if (!std::visit([&](const auto& what) { return perform(what); }, effect)) return;
  }

  bool disk_fails() { return !calm_ && chance_.one_in(10); }
  void maybe_crash() const {
    if (!calm_ && chance_.one_in(40)) throw Crash{};
  }

  bool perform(const effect::Accept& effect) {
    maybe_crash();
    REQUIRE_FALSE(disk_.contains(effect.id));
    if (disk_fails()) {
      feed(event::AcceptFailed{.id = effect.id, .why = "full"});
      return false;
    }
    disk_[effect.id] = effect.begin ? TaskState::running : TaskState::accepted;
    maybe_crash();
    return true;
  }
  bool perform(const effect::Begin& effect) {
    maybe_crash();
    REQUIRE(disk_.at(effect.id) == TaskState::accepted);
    disk_[effect.id] = TaskState::running;
    maybe_crash();
    return true;
  }
  bool perform(const effect::Start& effect) {
    maybe_crash();
    REQUIRE(disk_.at(effect.id) == TaskState::running);
    REQUIRE(started_.insert(effect.id).second);
    if (const auto resource = resource_of(effect.id); !resource.empty())
      for (const auto& [other, state] : disk_)
        REQUIRE((other == effect.id || resource_of(other) != resource ||
                 (!workers_.contains(other) && state != TaskState::unconfirmed &&
                  !changed_unsettled(other))));
    workers_.insert(effect.id);
    maybe_crash();
    return true;
  }
  bool changed_unsettled(const TaskId& id) const {
    return changed_.contains(id) && !kept_.contains(id);
  }
  bool perform(const effect::Review& effect) {
    REQUIRE_FALSE(workers_.contains(effect.id));
    REQUIRE(disk_.at(effect.id) == TaskState::unconfirmed);
    workers_.insert(effect.id);
    reviewing_.insert(effect.id);
    return true;
  }
  bool perform(const effect::Stop& effect) const {
    REQUIRE(workers_.contains(effect.id));
    REQUIRE_FALSE(undoing_.contains(effect.id));
    return true;
  }
  bool perform(const effect::Hold& effect) {
    REQUIRE_FALSE(workers_.contains(effect.id));
    maybe_crash();
    REQUIRE(disk_.at(effect.id) == TaskState::running);
    REQUIRE(armed_.contains(effect.id));
    if (disk_fails()) {
      feed(event::HoldFailed{effect.id});
      return false;
    }
    disk_[effect.id] = TaskState::unconfirmed;
    maybe_crash();
    return true;
  }
  static bool perform(const effect::Announce& /*effect*/) { return true; }
  bool perform(const effect::Undo& effect) {
    REQUIRE_FALSE(workers_.contains(effect.id));
    REQUIRE_FALSE(kept_.contains(effect.id));
    maybe_crash();
    disk_[effect.id] = TaskState::running;
    maybe_crash();
    workers_.insert(effect.id);
    undoing_.insert(effect.id);
    return true;
  }
  bool perform(const effect::Keep& effect) {
    maybe_crash();
    REQUIRE(disk_.at(effect.id) == TaskState::unconfirmed);
    if (disk_fails()) {
      static_cast<void>(core_->on(event::KeepFailed{effect.id}, now_));
      return false;
    }
    disk_[effect.id] = TaskState::finished;
    kept_.insert(effect.id);
    maybe_crash();
    return true;
  }
  bool perform(const effect::Conclude& effect) {
    REQUIRE_FALSE(workers_.contains(effect.id));
    if (effect.outcome == schema::Outcome::CANCELLED) {
      REQUIRE_FALSE(started_.contains(effect.id));
    } else {
      REQUIRE(disk_.at(effect.id) == TaskState::running);
    }
    return store_end(effect.id);
  }
  bool perform(const effect::Finish& effect) {
    REQUIRE_FALSE(workers_.contains(effect.id));
    return store_end(effect.id);
  }
  bool store_end(const TaskId& id) {
    maybe_crash();
    REQUIRE(disk_.at(id) < TaskState::finished);
    if (disk_fails()) {
      static_cast<void>(core_->on(event::FinishFailed{id}, now_));
    } else {
      disk_[id] = TaskState::finished;
    }
    maybe_crash();
    return true;
  }
  bool perform(const effect::Answer& effect) {
    maybe_crash();
    const bool taken = effect.refusal == schema::Refusal::NONE;
    REQUIRE((!taken || disk_.contains(effect.id)));
    return true;
  }
  bool perform(const effect::Deliver& effect) {
    // Not stored yet: the service has nothing to send, and the core must know that it is owed.
    const auto held = core_->held().find(effect.id);
    const bool owed = held != core_->held().end() && held->second.unstored;
    REQUIRE((owed || disk_.at(effect.id) == TaskState::finished));
    return true;
  }
  bool perform(const effect::Release& effect) {
    maybe_crash();
    REQUIRE(disk_.at(effect.id) == TaskState::finished);
    disk_[effect.id] = TaskState::acknowledged;
    return true;
  }
  bool perform(const effect::Exit&) {
    REQUIRE(workers_.empty());
    for (const auto& [id, held] : core_->held()) REQUIRE_FALSE(held.unstored);
    throw Crash{};
  }

  /// What is not on the disk is gone.
  void restart() {
    core_ = std::make_unique<Core>(limits);
    workers_.clear();
    undoing_.clear();
    reviewing_.clear();
    const auto rows = disk_;
    try {
      for (const auto& [id, state] : rows)
        if (state != TaskState::acknowledged)
          feed(event::Recovered{.id = id,
                                .state = state,
                                .deadline = std::chrono::seconds(10),
                                .armed = armed_.contains(id),
                                .confirm_within = std::chrono::seconds(6),
                                .left = std::chrono::seconds(chance_.below(3)),
                                .resource = resource_of(id)});
      feed(event::Ticked{});
    } catch (const Crash&) {
      restart();
    }
  }

  Chance& chance_;
  bool calm_ = false;
  Instant now_ = Instant(std::chrono::hours(1));
  std::unique_ptr<Core> core_ = std::make_unique<Core>(limits);
  std::map<TaskId, TaskState> disk_;
  std::set<TaskId> started_;
  std::set<TaskId> workers_;
  /// Those of them that lead back.
  std::set<TaskId> undoing_;
  /// Those that look whether a change is still so.
  std::set<TaskId> reviewing_;
  /// On the disk: there is a way back.
  std::set<TaskId> armed_;
  /// In the world: what was changed, and what may stay so.
  std::set<TaskId> changed_;
  std::set<TaskId> kept_;
};

}  // namespace

TEST_CASE("core: no walk starts a task twice, or delivers what is not stored", "[agent][core]") {
  const auto round = GENERATE(range(0U, 300U));
  Chance chance(round);
  INFO("RELAB_SEED=" << chance.seed());
  World world(chance);

  for (int step = 0; step < 200; ++step) world.step();
  world.settle();
}

}  // namespace relab::agent
