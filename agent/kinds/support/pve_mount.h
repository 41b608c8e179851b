#pragma once

/// Whether Proxmox's configuration can be read at /etc/pve.

#include "agent/host/host.h"

namespace relab::agent {

/// False where there is no Proxmox VE. An error where there is one, but its file system is not
/// mounted: the folder is empty then, which must not pass for an empty configuration.
Result<bool> has_pve_config(Host& host);

}  // namespace relab::agent
