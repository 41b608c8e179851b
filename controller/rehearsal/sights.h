#pragma once

/// How a task gets on, as often as somebody who looks at it wants to know.

#include <string>
#include <utility>
#include <vector>

#include "agent/host/host.h"
#include "common/base/time.h"

namespace relab::rehearsal {

struct Sight {
  Instant when;
  agent::Advance advance;
  /// What a person has to do meanwhile; empty: nothing.
  std::string for_person = {};
};

/// Of one thing that is told at most a hundred or so, however long it takes: the longer, the rarer.
/// What a person is told, and what begins anew, is never left out.
class Sights {
 public:
  void add(Sight sight);
  const std::vector<Sight>& all() const { return all_; }

 private:
  static constexpr std::size_t most = 96;
  static bool is_same(const Sight& one, const Sight& other);
  void thin();

  std::vector<Sight> all_;
  Millis interval_{1000};
  std::size_t room_ = most;
};

}  // namespace relab::rehearsal
