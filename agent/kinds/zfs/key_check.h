#pragma once

/// Whether a secret is the key of an encrypted dataset, by ZFS's own word.

#include "agent/kinds/kind.h"

namespace relab::agent::zfs {

struct ZfsKeyCheck {
  static constexpr std::string_view arm = "zfsKeyCheck";
  using Params = schema::ZfsKeyCheck;
  using Facts = schema::ZfsKeyCheck::Facts;
  /// A key that ZFS does not take is a finding. Fault::missing if there is no such dataset,
  /// ::invalid if it is not encrypted.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
};
static_assert(ProbeKind<ZfsKeyCheck>);

}  // namespace relab::agent::zfs
