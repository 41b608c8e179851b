#pragma once

/// Tasks as an agent carries them out, on a simulated machine.

#include <string>

#include "agent/host/sim/sim_host.h"
#include "agent/kinds/carry_out.h"
#include "tests/support/must.h"

namespace relab::agent::sim {

inline Work carry_out(SimHost& host, const std::string& task) {
  Draft<schema::Order> order;
  order->setMode(schema::Mode::APPLY);
  order->setTask(must(Message<schema::Task>::from_json(task)).reader());
  const auto message = std::move(order).finish();
  return agent::carry_out(message.reader(), {.host = host, .rescue = host},
                          [](const auto& /*facts*/) { return Result<void>(); });
}

/// One that must succeed.
inline Work must_carry_out(SimHost& host, const std::string& task) {
  auto work = carry_out(host, task);
  INFO(work.failure.sentence());
  REQUIRE(work.outcome == schema::Outcome::SUCCEEDED);
  return work;
}

}  // namespace relab::agent::sim
