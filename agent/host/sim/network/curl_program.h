#pragma once

/// `curl` of a machine of a simulated lab.

#include <string>

#include "agent/host/sim/network/reachability.h"

namespace relab::agent::sim {

/// It knows the options of the probes. What is open and of which nothing more was said is not
/// answered for: that is an error of the simulation. Lab and host must live as long.
SimHost::Program curl_program(SimHost& host, const Reachability& lab, const std::string& name);

}  // namespace relab::agent::sim
