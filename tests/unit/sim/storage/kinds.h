#pragma once

/// Task kinds as the agent runs them, over the reference lab's machine.

#include <string>

#include "tests/unit/sim/storage/z640.h"

namespace relab::agent::sim {

/// As the agent does it: afterwards there is nothing left to be changed.
template <typename Kind>
Result<Message<typename Kind::Facts>> carry_out(SimHost& host, const std::string& json) {
  const auto params = must(Message<typename Kind::Params>::from_json(json));
  RELAB_TRY(const auto before, Kind::observe(params.reader(), host));
  RELAB_TRY(const auto changes, Kind::plan(params.reader(), before.reader()));
  for (const auto& change : changes) RELAB_CHECK(Kind::apply(change, host));
  RELAB_TRY(auto after, Kind::observe(params.reader(), host));
  RELAB_TRY(const auto left, Kind::plan(params.reader(), after.reader()));
  CHECK(left.empty());
  return after;
}

template <typename Kind>
Result<Message<typename Kind::Facts>> probe(SimHost& host, const std::string& json) {
  const auto params = must(Message<typename Kind::Params>::from_json(json));
  return Kind::observe(params.reader(), host);
}

}  // namespace relab::agent::sim
