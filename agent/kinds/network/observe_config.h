#pragma once

/// The parts of the section that files tell: configured interfaces, nameservers, hosts.

#include "agent/host/host.h"
#include "agent/kinds/support/gaps.h"
#include "schema/network.capnp.h"

namespace relab::agent::network {

using FactsBuilder = schema::AuditNetwork::Facts::Builder;

/// Also whether a staged configuration waits to take its place.
void observe_configured(Host& host, FactsBuilder facts, Gaps& gaps);
void observe_names(Host& host, FactsBuilder facts, Gaps& gaps);

}  // namespace relab::agent::network
