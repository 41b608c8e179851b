#pragma once

/// Where the files of a container lie on this machine, by its mounts.

#include <optional>
#include <string>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/pve_guests.h"
#include "agent/kinds/support/tree.h"

namespace relab::agent {

/// The directory of this machine behind one mount of a container. Fault::unsupported for a volume
/// that is no directory (a block volume, an image), ::missing if it is not mounted.
Result<Path> directory_of(Host& host, const GuestMount& mount);

/// That directory, without symbolic links, at the mount's path, without the mount points of this
/// machine that the container does not see below it. Fails as `directory_of` does.
Result<Mapping> mapping_of(Host& host, const GuestMount& mount,
                           const std::vector<Path>& mount_points);

/// The tree of a container as its configuration describes it; changes nothing. An error if its
/// root file system is not to be seen; other mounts that are not go to `gaps`.
Result<Tree> tree_of(Host& host, const PveGuest& guest, Gaps& gaps);

}  // namespace relab::agent
