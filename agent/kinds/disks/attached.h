#pragma once

/// Waits until a person has attached a disk.

#include "agent/kinds/kind.h"

namespace relab::agent::disks {

struct DiskAttached {
  static constexpr std::string_view arm = "diskAttached";
  using Params = schema::DiskAttached;
  using Facts = schema::DiskAttached::Facts;
  /// Fault::conflict if several disks have that serial number: none of them is the one.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  static std::optional<Awaited> awaits(Params::Reader params, Facts::Reader facts);
};
static_assert(WaitingKind<DiskAttached>);

}  // namespace relab::agent::disks
