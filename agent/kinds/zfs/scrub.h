#pragma once

/// Every block of a pool read and checked.

#include "agent/kinds/kind.h"
#include "schema/zfs.capnp.h"

namespace relab::agent::zfs {

struct ZfsScrub {
  static constexpr std::string_view arm = "zfsScrub";
  using Params = schema::ZfsScrub;
  using Facts = schema::ZfsScrub::Facts;
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  /// Fault::refused while a resilver or rebuild is at work: ZFS scrubs only after it.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  /// Waits for the end of a scrub that is at work already. One that found errors has ended all the
  /// same: the facts tell of them. A task that is stopped lets ZFS go on with the scrub.
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(ChangeKind<ZfsScrub>);

}  // namespace relab::agent::zfs
