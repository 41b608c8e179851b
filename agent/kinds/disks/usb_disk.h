#pragma once

/// An external disk, with its file system mounted.

#include "agent/kinds/kind.h"

namespace relab::agent::disks {

struct UsbDisk {
  static constexpr std::string_view arm = "usbDisk";
  using Params = schema::UsbDisk;
  using Facts = schema::UsbDisk::Facts;
  /// Fault::conflict if several disks have that serial number.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  static std::optional<Awaited> awaits(Params::Reader params, Facts::Reader facts);
  /// Fault::refused if the disk is not on USB, belongs to the machine, is mounted elsewhere or
  /// read-only, is too small, has no file system and none is to be made, or if something else is
  /// mounted on the folder.
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  static Result<void> apply(const Change& change, Host& host);
};
static_assert(WaitingKind<UsbDisk> && ChangeKind<UsbDisk>);

}  // namespace relab::agent::disks
