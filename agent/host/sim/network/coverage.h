#pragma once

/// What an audit has not found, and how a simulated machine shows that it is not there.

#include <string>
#include <string_view>

#include "agent/host/sim/sim_host.h"
#include "common/wire/message.h"
#include "schema/coverage.capnp.h"

namespace relab::agent::sim {

/// Whether the audit names this part as one that does not exist here.
inline bool is_absent(schema::Coverage::Reader coverage, std::string_view part) {
  return any_in(coverage.getParts(), [&](auto gap) { return view(gap.getPart()) == part; });
}

/// Calling this program says what a machine without it says.
inline void leave_out(SimHost& host, const std::string& name) {
  host.program(name, [](const Command& command) -> Result<Output> {
    return fail(Fault::missing, "no " + command.argv[0] + " on this machine");
  });
}

inline bool is_there(SimHost& host, const Path& path) { return host.status(path).has_value(); }

}  // namespace relab::agent::sim
