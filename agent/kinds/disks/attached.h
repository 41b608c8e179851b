#pragma once

/// Waits until a person has attached a disk.

#include "agent/kinds/kind.h"
#include "agent/kinds/support/block.h"

namespace relab::agent::disks {

/// The disk with that serial number and what uses it; `attached` stays unset if there is none.
/// Fault::conflict if several disks have it: none of them is the one.
Result<void> describe_disk(const std::string& serial, const BlockDevices& devices, Host& host,
                           schema::DiskAttached::Facts::Builder facts);

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
