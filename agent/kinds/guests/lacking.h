#pragma once

/// Whether a running container has inside what its configuration gives it: Proxmox binds whatever
/// lay at a directory as the container started, and nothing there tells when that was the empty
/// folder below a locked pool.

#include <string>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/support/pve_config.h"

namespace relab::agent::guests {

/// What of the mounts and devices in effect is not there, each in words; empty: all of it is.
/// Fault::damaged if the container cannot be looked into, which is not tried where its
/// configuration gives it nothing of the kind.
Result<std::vector<std::string>> lacking_in(Host& host, std::uint32_t vmid,
                                            const PveSection& config);

}  // namespace relab::agent::guests
