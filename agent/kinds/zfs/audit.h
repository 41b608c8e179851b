#pragma once

/// The audit's section about ZFS: imported pools whole, and pools that could be imported.

#include "agent/kinds/kind.h"

namespace relab::agent::zfs {

struct AuditZfs {
  static constexpr std::string_view arm = "auditZfs";
  using Params = schema::AuditZfs;
  using Facts = schema::AuditZfs::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
};
static_assert(ProbeKind<AuditZfs>);

}  // namespace relab::agent::zfs
