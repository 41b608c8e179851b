#pragma once

/// The configuration of one Proxmox Backup Server: its files, and its tool's JSON where a file is
/// not there.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/kinds/support/json.h"
#include "agent/kinds/support/section_config.h"
#include "common/base/result.h"

namespace relab::agent::pbs {

/// A list of configured things that the tool and a file of /etc/proxmox-backup both tell.
struct ConfigList {
  std::string_view file;     ///< "datastore.cfg"
  std::string_view type;     ///< of its sections: "datastore"
  std::string_view command;  ///< of proxmox-backup-manager, that lists the same: "datastore"
};

inline constexpr ConfigList datastores{"datastore.cfg", "datastore", "datastore"};
inline constexpr ConfigList prune_jobs{"prune.cfg", "prune", "prune-job"};
inline constexpr ConfigList verify_jobs{"verification.cfg", "verification", "verify-job"};
inline constexpr ConfigList sync_jobs{"sync.cfg", "sync", "sync-job"};

/// The sections of a file; Fault::damaged if one has another type.
Result<std::vector<ConfigSection>> parse_config_file(std::string_view text, const ConfigList& list);
/// The same out of `proxmox-backup-manager COMMAND list --output-format json`.
Result<std::vector<ConfigSection>> parse_config_json(std::string_view text, const ConfigList& list);

struct GcStatus {
  std::uint64_t started = 0;  ///< unix ms; 0: not told
  std::uint64_t disk_bytes = 0;
  std::uint64_t pending_bytes = 0;
};
/// The file .gc-status in a datastore.
Result<GcStatus> parse_gc_status(std::string_view text);

/// A number of a section, or 0.
std::uint32_t count_of(const ConfigSection& section, std::string_view key);

}  // namespace relab::agent::pbs
