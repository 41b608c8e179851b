#pragma once

/// The audit's section `pbs`: Proxmox Backup Servers here, and the storages that use one.

#include "agent/kinds/kind.h"

namespace relab::agent::pbs {

struct AuditPbs {
  static constexpr std::string_view arm = "auditPbs";
  using Params = schema::AuditPbs;
  using Facts = schema::AuditPbs::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
};
static_assert(ProbeKind<AuditPbs>);

}  // namespace relab::agent::pbs
