#pragma once

/// What an order that destroys brings along.

#include "agent/kinds/carry_out.h"
#include "common/wire/envelope.h"
#include "tests/support/must.h"

namespace relab::agent {

/// A signed report on the disks as the host shows them now.
inline Bytes report_on_disks(Host& host) {
  Draft<schema::Order> order;
  order->setMode(schema::Mode::APPLY);
  order->initTask().initAuditDisks();
  const auto work = carry_out(order->asReader(), {.host = host, .rescue = host}, {});
  REQUIRE(work.facts);
  Draft<schema::Report> report;
  report->setFacts(work.facts->reader());
  const auto envelope = sign(must(crypto::Keys::from(Bytes(crypto::Keys::secret_size, 3))),
                             std::move(report).finish());
  const auto bytes = envelope.bytes();
  return {bytes.begin(), bytes.end()};
}

}  // namespace relab::agent
