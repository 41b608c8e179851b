#pragma once

/// Programs of applications that the audit asks, on the machine itself and in its containers.

#include "agent/host/sim/sim_host.h"

namespace relab::agent::sim {

/// sqlite3, as far as it is asked for root folders: it reads what `add_arr` wrote.
void install_sqlite(SimHost& host);
/// The lists of proxmox-backup-manager, out of its files; where it is installed.
void install_backup_manager(SimHost& host);

}  // namespace relab::agent::sim
