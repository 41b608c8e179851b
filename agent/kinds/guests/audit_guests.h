#pragma once

/// The audit's section `guests`: every VM and container of a Proxmox host.

#include "agent/kinds/kind.h"

namespace relab::agent::guests {

struct AuditGuests {
  static constexpr std::string_view arm = "auditGuests";
  using Params = schema::AuditGuests;
  using Facts = schema::AuditGuests::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
};
static_assert(ProbeKind<AuditGuests>);

}  // namespace relab::agent::guests
