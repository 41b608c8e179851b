#pragma once

/// Virtual time: what is due happens in its order, and nothing takes any time.

#include <functional>
#include <map>
#include <utility>

#include "common/base/time.h"

namespace relab::sim {

class Timeline {
 public:
  using Action = std::function<void()>;

  Instant now() const { return now_; }
  void after(Millis pause, Action action) {
    due_.emplace(std::pair(now_ + pause, ++count_), std::move(action));
  }
  /// Does what is due next. False if nothing is.
  bool advance() {
    if (due_.empty()) return false;
    auto next = due_.extract(due_.begin());
    now_ = next.key().first;
    next.mapped()();
    return true;
  }

 private:
  /// A day on which no clock in the simulation stands at zero.
  Instant now_ = Instant(std::chrono::hours(500'000));
  std::uint64_t count_ = 0;
  std::map<std::pair<Instant, std::uint64_t>, Action> due_;
};

}  // namespace relab::sim
