#pragma once

/// The parts of the section about firewalls: the kernel's filter, ufw, and Proxmox's.

#include "agent/host/host.h"
#include "agent/kinds/support/gaps.h"
#include "schema/network.capnp.h"

namespace relab::agent::network {

using FactsBuilder = schema::AuditNetwork::Facts::Builder;

void observe_packet_filter(Host& host, FactsBuilder facts, Gaps& gaps);
void observe_ufw(Host& host, FactsBuilder facts, Gaps& gaps);
void observe_pve_firewall(Host& host, FactsBuilder facts, Gaps& gaps);

}  // namespace relab::agent::network
