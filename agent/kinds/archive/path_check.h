#pragma once

/// Where paths that must not be lost really lie: a link below a pool of data may lead off it.

#include "agent/kinds/kind.h"
#include "schema/paths.capnp.h"

namespace relab::agent::archive {

struct PathCheck {
  static constexpr std::string_view arm = "pathCheck";
  using Params = schema::PathCheck;
  using Facts = schema::PathCheck::Facts;
  /// Fault::invalid if no path was given: looking at nothing would pass for a look.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
};
static_assert(ProbeKind<PathCheck>);

}  // namespace relab::agent::archive
