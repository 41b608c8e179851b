#pragma once

/// An external disk, with the pool that it holds imported.

#include "agent/kinds/kind.h"

namespace relab::agent::zfs {

struct UsbPool {
  static constexpr std::string_view arm = "usbPool";
  using Params = schema::UsbPool;
  using Facts = schema::UsbPool::Facts;
  /// Fault::conflict if several disks have that serial number.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  static std::optional<Awaited> awaits(Params::Reader params, Facts::Reader facts);
  /// Fault::refused if the disk is not on USB, holds anything else, or no pool of that name; if a
  /// pool of that name is imported that lies elsewhere, too; or if it is too small, read-only or
  /// not whole.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(WaitingKind<UsbPool> && ChangeKind<UsbPool>);

}  // namespace relab::agent::zfs
