#pragma once

/// Whether an HTTP server gives the right answer.

#include "agent/kinds/kind.h"
#include "schema/probes.capnp.h"

namespace relab::agent::probes {

struct HttpProbe {
  static constexpr std::string_view arm = "httpProbe";
  using Params = schema::HttpProbe;
  using Facts = schema::HttpProbe::Facts;
  /// Fault::missing without curl.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::unreachable without a whole answer, ::conflict if it is another one.
  static Result<void> judge(Params::Reader params, Facts::Reader facts);
};
static_assert(JudgingKind<HttpProbe>);

}  // namespace relab::agent::probes
