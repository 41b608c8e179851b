#pragma once

/// What programs that a lab declares answer over the network while they run.

#include <functional>
#include <optional>
#include <string>

#include "agent/host/sim/network/reachability.h"
#include "schema/lab.capnp.h"

namespace relab::rehearsal {

/// By the path of a request, what a program answers that is well, as its makers document it;
/// nothing for a path of which nothing is known. Empty: of nothing that it says anything is known.
using Answers = std::function<std::optional<agent::sim::HttpAnswer>(const std::string& path)>;
Answers answers_of(schema::Lab::Service::Kind kind);

}  // namespace relab::rehearsal
