#pragma once

/// The disks that steps ask a person to plug in.

#include <string_view>
#include <utility>

#include "common/wire/message.h"
#include "schema/task.capnp.h"

namespace relab::lab {

/// "usb_disk" or "usb_pool", and the serial number that it names; empty: it is neither.
inline std::pair<std::string_view, std::string_view> external_disk_of(schema::Task::Reader task) {
  if (task.isUsbDisk()) return {"usb_disk", view(task.getUsbDisk().getSerial())};
  if (task.isUsbPool()) return {"usb_pool", view(task.getUsbPool().getSerial())};
  return {};
}

}  // namespace relab::lab
