#pragma once

/// A copy of a dataset and of all below it in another pool, which then has every snapshot of it.

#include "agent/kinds/kind.h"

namespace relab::agent::zfs {

struct ZfsPoolBackup {
  static constexpr std::string_view arm = "zfsPoolBackup";
  using Params = schema::ZfsPoolBackup;
  using Facts = schema::ZfsPoolBackup::Facts;
  /// Fault::missing if the original has no such snapshot, or the dataset below which the copy is to
  /// lie is not there. A copy that is begun counts as none, with what it has.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused if the target lies in the same pool, in one that is not imported, not whole or
  /// read-only, if something else has the copy's name, or if what is missing and a margin do not
  /// fit.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(ChangeKind<ZfsPoolBackup>);

}  // namespace relab::agent::zfs
