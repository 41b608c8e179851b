#pragma once

/// Probes that look again until what they look for is so, or their time is over.

#include <chrono>
#include <string>

#include "agent/kinds/kind.h"

namespace relab::agent::probes {

inline constexpr auto look_again = Millis(2000);

/// What `look(tries)` found last: as soon as K's judgement of it is good, or once `patience` has
/// passed; the first look is never left out. Errors of `look` end it at once.
template <JudgingKind K, typename Look>
Result<Message<typename K::Facts>> look_until_met(typename K::Params::Reader params, Host& host,
                                                  const std::string& waiting, const Look& look) {
  const auto start = host.now();
  const std::chrono::seconds patience(params.getPatience());
  for (std::uint32_t tries = 1;; ++tries) {
    Result<Message<typename K::Facts>> found = look(tries);
    if (!found || K::judge(params, found->reader())) return found;
    if (host.now() - start >= patience) return found;
    RELAB_CHECK(host.pause(look_again, {.what = waiting}));
  }
}

}  // namespace relab::agent::probes
