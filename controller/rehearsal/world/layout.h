#pragma once

/// Layouts of pools, in the words of ZFS.

#include <string_view>

#include "schema/lab.capnp.h"

namespace relab::rehearsal {

/// The kind of the vdevs that such a pool has: "raidz2". Empty: single disks.
inline std::string_view layout_name(schema::Lab::Pool::Layout layout) {
  switch (layout) {
    case schema::Lab::Pool::Layout::MIRROR:
      return "mirror";
    case schema::Lab::Pool::Layout::RAIDZ1:
      return "raidz1";
    case schema::Lab::Pool::Layout::RAIDZ2:
      return "raidz2";
    case schema::Lab::Pool::Layout::RAIDZ3:
      return "raidz3";
    case schema::Lab::Pool::Layout::UNSET:
    case schema::Lab::Pool::Layout::SINGLE:
      break;
  }
  return {};
}

}  // namespace relab::rehearsal
