#pragma once

/// The parts of the section about the system and the hardware under it.

#include "agent/host/host.h"
#include "agent/kinds/support/gaps.h"
#include "schema/packages.capnp.h"

namespace relab::agent::packages {

using FactsBuilder = schema::AuditPackages::Facts::Builder;

/// Also the kernels in /boot.
void observe_system(Host& host, FactsBuilder facts, Gaps& gaps);

void observe_hardware(Host& host, FactsBuilder facts, Gaps& gaps);

}  // namespace relab::agent::packages
