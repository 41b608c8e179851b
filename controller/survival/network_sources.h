#pragma once

/// Where a host has the configuration of its network.

#include <optional>
#include <string>
#include <vector>

#include "schema/task.capnp.h"

namespace relab::controller {

struct NetworkSource {
  /// "/etc/wireguard"
  std::string path;
  /// "configuration of WireGuard"
  std::string what;
};

/// As far as facts show it: what is there now, what starts by itself though it is down, and the
/// files that /etc/network/interfaces takes in or names. A tunnel that is down and does not start
/// by itself, and files that no unit and no interface names, no audit tells.
std::vector<NetworkSource> network_sources(
    schema::AuditNetwork::Facts::Reader network,
    const std::optional<schema::AuditServices::Facts::Reader>& services);

}  // namespace relab::controller
