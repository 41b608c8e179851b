#pragma once

/// Proxmox's backup jobs, out of /etc/pve/jobs.cfg and the vzdump.cron of old.

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::schedules {

struct BackupJob {
  std::string name = {};
  bool enabled = true;
  std::string schedule = {};
  std::string guests = {};
  std::string exclude = {};
  std::string storage = {};
  std::string mode = {};
  std::string retention = {};
  std::string comment = {};

  bool operator==(const BackupJob&) const = default;
};

/// The sections of type vzdump; others (replication checks, realm-sync) are no backups.
Result<std::vector<BackupJob>> parse_jobs_cfg(std::string_view text);

/// Lines of a system crontab that call vzdump.
Result<std::vector<BackupJob>> parse_vzdump_cron(std::string_view text);

}  // namespace relab::agent::schedules
