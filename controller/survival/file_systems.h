#pragma once

/// File systems of disks that somebody made for something of his own.

#include <vector>

#include "schema/task.capnp.h"

namespace relab::controller {

/// Each place where one is mounted. Not ZFS, whose pools are told for themselves; nor what the
/// system stands on ("/", "/boot", "/var" and their like, with folders of it that are mounted
/// elsewhere below), nor pictures of a disc, nor what comes over the network, out of a file or a
/// volume: that is where those are.
std::vector<schema::AuditDisks::Mount::Reader> own_file_systems(
    schema::AuditDisks::Facts::Reader disks);

}  // namespace relab::controller
