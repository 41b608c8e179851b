#pragma once

/// The audit's section `jellyfin`: its servers on this machine and in its containers.

#include "agent/kinds/kind.h"

namespace relab::agent::media {

struct AuditJellyfin {
  static constexpr std::string_view arm = "auditJellyfin";
  using Params = schema::AuditJellyfin;
  using Facts = schema::AuditJellyfin::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
};
static_assert(ProbeKind<AuditJellyfin>);

}  // namespace relab::agent::media
