#pragma once

/// Time that passes only where nothing is left to be done: what is to happen, in its order.

#include <functional>
#include <map>
#include <utility>

#include "common/base/time.h"

namespace relab::rehearsal {

class Timeline {
 public:
  explicit Timeline(Instant begin) : now_(begin) {}

  Instant now() const { return now_; }
  Now both() const { return {.wall = now_, .steady = now_}; }

  /// What is for a time that is past happens next.
  void at(Instant when, std::function<void()> what) {
    events_.emplace(std::max(when, now_), std::move(what));
  }
  bool empty() const { return events_.empty(); }
  /// When the next thing happens; only where there is one.
  Instant next() const { return events_.begin()->first; }
  /// Goes on to the next thing, and does it.
  void step() {
    auto first = events_.extract(events_.begin());
    now_ = first.key();
    first.mapped()();
  }
  /// Only time passes; to no later than the next thing.
  void pass(Millis span) { now_ = events_.empty() ? now_ + span : std::min(now_ + span, next()); }

 private:
  Instant now_;
  /// Those of one time in the order in which they were given.
  std::multimap<Instant, std::function<void()>> events_;
};

}  // namespace relab::rehearsal
