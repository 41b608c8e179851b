#pragma once

/// The parts of the section that the kernel tells.

#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/network/links.h"
#include "agent/kinds/support/gaps.h"
#include "schema/network.capnp.h"

namespace relab::agent::network {

using FactsBuilder = schema::AuditNetwork::Facts::Builder;

/// The interfaces and their addresses; none if they could not be read.
std::vector<Interface> observe_links(Host& host, FactsBuilder facts, Gaps& gaps);

void observe_bridge_vlans(Host& host, const std::vector<Interface>& links, FactsBuilder facts,
                          Gaps& gaps);
/// Routes and rules.
void observe_routes(Host& host, FactsBuilder facts, Gaps& gaps);
void observe_wireguard(Host& host, const std::vector<Interface>& links, FactsBuilder facts,
                       Gaps& gaps);
void observe_sysctls(Host& host, FactsBuilder facts, Gaps& gaps);

}  // namespace relab::agent::network
