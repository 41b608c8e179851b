#pragma once

/// Whether a name server gives the right answer.

#include "agent/kinds/kind.h"
#include "schema/probes.capnp.h"

namespace relab::agent::probes {

struct DnsProbe {
  static constexpr std::string_view arm = "dnsProbe";
  using Params = schema::DnsProbe;
  using Facts = schema::DnsProbe::Facts;
  /// Fault::missing without dig.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::unreachable without an answer, ::conflict if it is another one.
  static Result<void> judge(Params::Reader params, Facts::Reader facts);
};
static_assert(JudgingKind<DnsProbe>);

}  // namespace relab::agent::probes
