#pragma once

/// How this machine is wired: interfaces, VLANs, routes, names, packet filters and tunnels.

#include "agent/kinds/kind.h"

namespace relab::agent::network {

struct AuditNetwork {
  static constexpr std::string_view arm = "auditNetwork";
  using Params = schema::AuditNetwork;
  using Facts = schema::AuditNetwork::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
};
static_assert(ProbeKind<AuditNetwork>);

}  // namespace relab::agent::network
