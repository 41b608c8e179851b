#pragma once

/// The audit's section `arr`: Sonarr, Radarr, Prowlarr and their kin, on this machine and in its
/// containers.

#include "agent/kinds/kind.h"

namespace relab::agent::media {

struct AuditArr {
  static constexpr std::string_view arm = "auditArr";
  using Params = schema::AuditArr;
  using Facts = schema::AuditArr::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
};
static_assert(ProbeKind<AuditArr>);

}  // namespace relab::agent::media
