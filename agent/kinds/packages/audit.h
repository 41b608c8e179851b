#pragma once

/// The operating system, what it runs on, and where its packages come from.

#include "agent/kinds/kind.h"

namespace relab::agent::packages {

struct AuditPackages {
  static constexpr std::string_view arm = "auditPackages";
  using Params = schema::AuditPackages;
  using Facts = schema::AuditPackages::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
};
static_assert(ProbeKind<AuditPackages>);

}  // namespace relab::agent::packages
