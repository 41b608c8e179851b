#pragma once

/// All that runs by itself on this machine.

#include "agent/kinds/kind.h"

namespace relab::agent::schedules {

struct AuditSchedules {
  static constexpr std::string_view arm = "auditSchedules";
  using Params = schema::AuditSchedules;
  using Facts = schema::AuditSchedules::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
};
static_assert(ProbeKind<AuditSchedules>);

}  // namespace relab::agent::schedules
