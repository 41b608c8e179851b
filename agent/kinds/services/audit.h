#pragma once

/// What runs and listens on this machine.

#include "agent/kinds/kind.h"

namespace relab::agent::services {

struct AuditServices {
  static constexpr std::string_view arm = "auditServices";
  using Params = schema::AuditServices;
  using Facts = schema::AuditServices::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
};
static_assert(ProbeKind<AuditServices>);

}  // namespace relab::agent::services
