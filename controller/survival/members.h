#pragma once

/// Whether a pool lies on the disks that lab.toml gives to it: by these an installation decides
/// what it overwrites.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/lab.capnp.h"
#include "schema/task.capnp.h"

namespace relab::controller {

/// The disk that lab.toml declares with this serial number.
std::optional<schema::Lab::Disk::Reader> disk_with_serial(schema::Lab::Reader lab,
                                                          std::string_view serial);

/// The devices of a pool, whatever they are for.
std::vector<schema::AuditZfs::Vdev::Reader> leaves_of(
    std::string_view pool, capnp::List<schema::AuditZfs::Vdev>::Reader vdevs);

/// ZFS itself says that it does not have this device: it is on no disk of the machine now.
bool is_absent(schema::AuditZfs::Vdev::Reader leaf);

/// Why the pool, as its machine shows it, is not the one that lab.toml describes; empty: each of
/// its disks, spares and logs included, has the role `data` there, and every declared disk is one
/// of it. A member whose device is not there now may be any of the declared ones that are missing.
std::string member_concern(schema::Lab::Reader lab, schema::Lab::Pool::Reader pool,
                           capnp::List<schema::AuditZfs::Vdev>::Reader vdevs);

}  // namespace relab::controller
