#pragma once

/// What becomes of a TCP connection.

#include "agent/kinds/kind.h"
#include "schema/probes.capnp.h"

namespace relab::agent::probes {

struct TcpProbe {
  static constexpr std::string_view arm = "tcpProbe";
  using Params = schema::TcpProbe;
  using Facts = schema::TcpProbe::Facts;
  /// Fault::invalid if the connection is to fail, and there is no control.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::unreachable if it was not accepted, or nothing is proven by that; ::conflict if
  /// something else became of it.
  static Result<void> judge(Params::Reader params, Facts::Reader facts);
};
static_assert(JudgingKind<TcpProbe>);

}  // namespace relab::agent::probes
