#pragma once

/// Machines that the one of a world can speak to. tests/conformance/network_test.py makes real ones
/// of the same description:
///
///     {"machines": [{
///       "name": "media", "address": "10.42.20.5/24", "gateway": "10.42.20.1",
///       "servers": [{"port": 443, "certificates": "-----BEGIN ...", "answers":
///         {"/health": {"status": 200, "body": "Healthy"}}}, {"port": 7000}],
///       "dropped": [5000],
///       "names": [{"name": "media.lab.example", "type": "A", "value": "10.42.20.5"}]}]}
///
/// A server without answers accepts connections and ends them. `dropped` are ports whose packets
/// are thrown away. Who has `names` is a name server.

#include <string_view>

#include "agent/host/sim/network/reachability.h"
#include "common/base/result.h"

namespace relab::conformance {

/// Fault::damaged if it is no JSON; what lacks a member throws as nlohmann::json does.
Result<void> place_neighbours(std::string_view json, agent::sim::Reachability& lab);

}  // namespace relab::conformance
