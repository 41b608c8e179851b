#pragma once

/// What runs by itself on a simulated machine, systemd's timers aside: crontabs, the folders of
/// run-parts, anacron, at, and Proxmox's backup jobs, as its audit found them.

#include <string>
#include <string_view>

#include "agent/host/sim/part.h"

namespace relab::agent::sim {

class Schedules final : public Part {
 public:
  Schedules(SimHost& host, World world);
};

/// One crontab, each line where it stood; comments are empty lines.
std::string crontab_text(schema::AuditSchedules::Facts::Reader facts, std::string_view path);

/// /etc/pve/jobs.cfg.
std::string jobs_text(schema::AuditSchedules::Facts::Reader facts);

}  // namespace relab::agent::sim
