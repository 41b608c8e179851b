#pragma once

/// The agent of a container, brought there by the agent of its host: packages, the key that it is
/// to obey, and its own key back.

#include "agent/kinds/kind.h"
#include "schema/guest.capnp.h"

namespace relab::agent::guests {

struct AgentInstall {
  static constexpr std::string_view arm = "agentInstall";
  using Params = schema::AgentInstall;
  using Facts = schema::AgentInstall::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused if the container does not run, if the agent in it obeys another controller, or
  /// if it is another one than the controller knows by this name.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(ChangeKind<AgentInstall>);

}  // namespace relab::agent::guests
