#pragma once

/// The packet filters of a simulated machine, as nft, iptables-save, ufw and pve-firewall tell of
/// them. They only tell: what passes, `Reachability` knows.

#include <string>
#include <string_view>

#include "agent/host/sim/sim_host.h"
#include "schema/network.capnp.h"

namespace relab::agent::sim {

/// Registers the programs, and leaves out those that the audit has not found.
void put_filters(SimHost& host, schema::AuditNetwork::Facts::Reader facts);

/// `nft --json list ruleset`. Rules that the audit counts and does not tell are there without
/// content.
std::string nft_text(schema::AuditNetwork::Facts::Reader facts);

/// `iptables-save` or `ip6tables-save`; empty if there is no chain of that family.
std::string iptables_text(schema::AuditNetwork::Facts::Reader facts, std::string_view family);

}  // namespace relab::agent::sim
