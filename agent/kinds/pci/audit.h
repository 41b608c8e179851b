#pragma once

/// The audit's section about PCI devices and GPUs.

#include "agent/kinds/kind.h"

namespace relab::agent::pci {

struct AuditPci {
  static constexpr std::string_view arm = "auditPci";
  using Params = schema::AuditPci;
  using Facts = schema::AuditPci::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
};
static_assert(ProbeKind<AuditPci>);

}  // namespace relab::agent::pci
