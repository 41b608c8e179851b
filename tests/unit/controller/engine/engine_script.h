#pragma once

/// An engine with a clock, and its effects as words: "order 1/t/s as 1, attempt 1".

#include <fmt/format.h>
#include <string>
#include <vector>

#include "controller/engine/engine.h"
#include "tests/support/numbered.h"

namespace relab::controller {

using schema::Outcome;
using schema::Refusal;
using Words = std::vector<std::string>;

constexpr auto minute = std::chrono::seconds(60);

inline std::string line_of(const effect::Order& e) {
  return fmt::format("order {} as {}, attempt {}", e.step, e.task.bytes.back(), e.attempt);
}
inline std::string line_of(const effect::Abandon& e) {
  return fmt::format("abandon {}: {}", e.task.bytes.back(), e.why);
}
inline std::string line_of(const effect::RecordRefusal& e) {
  return fmt::format("record the refusal of {}", e.task.bytes.back());
}
inline std::string line_of(const effect::Reattach& e) { return "reattach " + e.agent; }
inline std::string line_of(const effect::Cancel& e) {
  return fmt::format("cancel {} at {}", e.task.bytes.back(), e.agent);
}

inline PlannedStep step(const std::string& path, const std::string& agent = "pve") {
  return {.path = path,
          .agent = agent,
          .arm = "ping",
          .deadline = minute,
          .convergent = true,
          .task = {}};
}

inline PlannedStep once_only(const std::string& path) {
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

inline Resumed resumed(const std::string& path, std::uint8_t number, std::uint32_t attempt,
                       std::optional<Outcome> outcome = {}) {
  return {.step = path, .task = task(number), .attempt = attempt, .outcome = outcome};
}

}  // namespace relab::controller
