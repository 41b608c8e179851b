#pragma once

/// The parts of the section, each put into the facts as far as it could be read; what could not
/// goes to the gaps.

#include <string>
#include <vector>

#include "agent/kinds/services/processes.h"
#include "agent/kinds/support/gaps.h"
#include "schema/services.capnp.h"

namespace relab::agent::services {

using FactsBuilder = schema::AuditServices::Facts::Builder;

/// The name of process 1, or "".
std::string init_name(Host& host, Gaps& gaps);

/// Whether systemd runs here at all.
bool observe_units(Host& host, FactsBuilder facts, Gaps& gaps);

void observe_sockets(Host& host, const std::vector<std::uint32_t>& pids, FactsBuilder facts,
                     Gaps& gaps);

void observe_processes(Host& host, const std::vector<std::uint32_t>& pids, FactsBuilder facts,
                       Gaps& gaps);

}  // namespace relab::agent::services
