#pragma once

/// Whether the right file system is mounted on a folder.

#include "agent/kinds/kind.h"
#include "schema/probes.capnp.h"

namespace relab::agent::probes {

struct MountCheck {
  static constexpr std::string_view arm = "mountCheck";
  using Params = schema::MountCheck;
  using Facts = schema::MountCheck::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::missing if nothing is mounted there, ::conflict if it is something else.
  static Result<void> judge(Params::Reader params, Facts::Reader facts);
};
static_assert(JudgingKind<MountCheck>);

}  // namespace relab::agent::probes
