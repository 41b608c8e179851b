#pragma once

/// A snapshot of a dataset and of all below it, held so that nothing prunes it.

#include "agent/kinds/kind.h"

namespace relab::agent::zfs {

struct ZfsSnapshot {
  static constexpr std::string_view arm = "zfsSnapshot";
  using Params = schema::ZfsSnapshot;
  using Facts = schema::ZfsSnapshot::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused if only some of the datasets have a snapshot of that name, or they were not
  /// taken at one moment: another one cannot be taken by that name.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(ChangeKind<ZfsSnapshot>);

}  // namespace relab::agent::zfs
