#pragma once

/// The audit's section about disks: identity, use and health of each.

#include "agent/kinds/kind.h"

namespace relab::agent::disks {

struct AuditDisks {
  static constexpr std::string_view arm = "auditDisks";
  using Params = schema::AuditDisks;
  using Facts = schema::AuditDisks::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
};
static_assert(ProbeKind<AuditDisks>);

}  // namespace relab::agent::disks
