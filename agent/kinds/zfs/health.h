#pragma once

/// Whether a pool is intact.

#include "agent/kinds/kind.h"
#include "schema/zfs.capnp.h"

namespace relab::agent::zfs {

struct PoolHealth {
  static constexpr std::string_view arm = "poolHealth";
  using Params = schema::PoolHealth;
  using Facts = schema::PoolHealth::Facts;
  /// Fault::missing if no such pool is imported. A pool that is not intact is a finding.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
};
static_assert(ProbeKind<PoolHealth>);

/// One pool, as the audit has it, without its datasets. Fault::missing if it is not imported.
Result<Message<schema::AuditZfs::Facts>> read_pool(Host& host, const std::string& name);

/// What speaks against a pool's being intact; nothing of it is a matter of configuration.
std::vector<std::string> concerns_of(schema::AuditZfs::Facts::Reader facts);
/// Something does, and all of it is that redundancy is lost.
bool is_only_degraded(schema::AuditZfs::Facts::Reader facts);

}  // namespace relab::agent::zfs
