#pragma once

/// The parts of the section about packages and where they come from.

#include "agent/host/host.h"
#include "agent/kinds/support/gaps.h"
#include "schema/packages.capnp.h"

namespace relab::agent::packages {

using FactsBuilder = schema::AuditPackages::Facts::Builder;

/// Packages and the versions of Proxmox.
void observe_installed(Host& host, FactsBuilder facts, Gaps& gaps);
void observe_sources(Host& host, FactsBuilder facts, Gaps& gaps);
void observe_pins(Host& host, FactsBuilder facts, Gaps& gaps);
/// apt's last update, and whether a restart is due.
void observe_updates(Host& host, FactsBuilder facts, Gaps& gaps);

}  // namespace relab::agent::packages
