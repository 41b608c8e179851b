#pragma once

/// The files that tell how a simulated machine is wired: interfaces, names, sysctls, and those of
/// Proxmox's firewall.

#include <string>
#include <string_view>

#include "agent/host/sim/sim_host.h"
#include "schema/network.capnp.h"

namespace relab::agent::sim {

/// `node` is the name of its folder below /etc/pve/nodes.
void put_network_files(SimHost& host, schema::AuditNetwork::Facts::Reader facts,
                       const std::string& node);

/// One file of /etc/network/interfaces and its kin. Options whose values hold a "; " come back as
/// several lines, as the audit reads them; comments are lost.
std::string interfaces_text(schema::AuditNetwork::Facts::Reader facts, std::string_view file);

/// One file of Proxmox's firewall, without comments.
std::string firewall_text(schema::AuditNetwork::Facts::Reader facts, std::string_view file);

}  // namespace relab::agent::sim
