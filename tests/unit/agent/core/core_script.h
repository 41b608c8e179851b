#pragma once

/// An agent's core with a clock, and its effects as words: "1 accept running".

#include <array>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "agent/core/core.h"
#include "tests/support/numbered.h"

namespace relab::agent {

using schema::Outcome;
using schema::Refusal;
using schema::State;
using Words = std::vector<std::string>;

constexpr auto hour = std::chrono::seconds(3600);

inline std::string words_of(const effect::Accept& e) {
  return e.begin ? "accept running" : "accept";
}
inline std::string words_of(const effect::Begin&) { return "begin"; }
inline std::string words_of(const effect::Start&) { return "start"; }
inline std::string words_of(const effect::Stop& e) {
  constexpr std::array reasons = {"cancelled", "out of time", "draining"};
  return fmt::format("stop: {}", reasons.at(static_cast<std::size_t>(e.reason)));
}
inline std::string words_of(const effect::Conclude& e) {
  return e.outcome == Outcome::UNKNOWN ? "conclude unknown" : "conclude cancelled";
}
inline std::string words_of(const effect::Finish&) { return "finish"; }
inline std::string words_of(const effect::Answer& e) {
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
inline std::string words_of(const effect::Hold& e) {
  return fmt::format("hold for {} s", e.left.count());
}
inline std::string words_of(const effect::Announce& e) {
  return fmt::format("announce {} ms", e.left.count());
}
inline std::string words_of(const effect::Review&) { return "review"; }
inline std::string words_of(const effect::Undo& e) {
  return fmt::format("undo: {}{}", e.why, e.outcome == Outcome::CANCELLED ? " (cancelled)" : "");
}
inline std::string words_of(const effect::Keep&) { return "keep"; }
inline std::string words_of(const effect::Deliver&) { return "deliver"; }
inline std::string words_of(const effect::Release&) { return "release"; }

inline std::string line_of(const effect::Exit&) { return "exit"; }
template <typename E>
std::string line_of(const E& e) {
  return fmt::format("{} {}", e.id.bytes.back(), words_of(e));
}

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

inline const std::string accepted = fmt::format("answer {}", static_cast<int>(State::ACCEPTED));
inline const std::string running = fmt::format("answer {}", static_cast<int>(State::RUNNING));
inline const std::string finished = fmt::format("answer {}", static_cast<int>(State::FINISHED));

}  // namespace relab::agent
