#pragma once

/// Answers without touching the machine.

#include "agent/kinds/kind.h"

namespace relab::agent::self {

struct Ping {
  static constexpr std::string_view arm = "ping";
  using Params = schema::Ping;
  using Facts = schema::Ping::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
};
static_assert(ProbeKind<Ping>);

}  // namespace relab::agent::self
