#pragma once

/// `ip` and `bridge` of a simulated machine, over its wiring: what they print in JSON, and the
/// changes of IPv4 addresses and routes.

#include "agent/host/sim/network/wiring.h"
#include "agent/host/sim/sim_host.h"

namespace relab::agent::sim {

/// Both borrow host and wiring.
SimHost::Program ip_program(SimHost& host, Wiring& wiring);
SimHost::Program bridge_program(SimHost& host, const Wiring& wiring);

}  // namespace relab::agent::sim
