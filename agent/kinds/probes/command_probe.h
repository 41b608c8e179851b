#pragma once

/// A command that the agent's role lists, and what it came to.

#include "agent/kinds/kind.h"
#include "schema/probes.capnp.h"

namespace relab::agent::probes {

struct CommandProbe {
  static constexpr std::string_view arm = "commandProbe";
  using Params = schema::CommandProbe;
  using Facts = schema::CommandProbe::Facts;
  /// Fault::refused if no role lists it, ::missing if there is no such program.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::conflict if it ended, or printed, something else.
  static Result<void> judge(Params::Reader params, Facts::Reader facts);
};
static_assert(JudgingKind<CommandProbe>);

}  // namespace relab::agent::probes
