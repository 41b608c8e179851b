#include "controller/rehearsal/sights.h"

#include <algorithm>

namespace relab::rehearsal {

bool Sights::is_same(const Sight& one, const Sight& other) {
  return one.for_person == other.for_person && one.advance.what == other.advance.what;
}

void Sights::add(Sight sight) {
  if (!all_.empty() && is_same(all_.back(), sight) && sight.when - all_.back().when < interval_)
    return;
  all_.push_back(std::move(sight));
  if (all_.size() >= room_) thin();
}

/// Until about half of those are left that only go on with what the one before them told.
void Sights::thin() {
  constexpr auto rarest = Millis(std::chrono::hours(24));
  while (all_.size() > most / 2 && interval_ < rarest) {
    interval_ *= 2;
    std::vector<Sight> kept;
    for (auto& sight : all_)
      if (kept.empty() || !is_same(kept.back(), sight) ||
          sight.when - kept.back().when >= interval_)
        kept.push_back(std::move(sight));
    all_ = std::move(kept);
  }
  room_ = std::max(most, 2 * all_.size());
}

}  // namespace relab::rehearsal
