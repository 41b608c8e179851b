#pragma once

/// The parts of the section beside cron: timers, at jobs and Proxmox's backups.

#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/host/host.h"
#include "agent/kinds/support/gaps.h"
#include "schema/schedules.capnp.h"

namespace relab::agent::schedules {

using FactsBuilder = schema::AuditSchedules::Facts::Builder;

void observe_timers(Host& host, FactsBuilder facts, Gaps& gaps);
void observe_at_jobs(Host& host, FactsBuilder facts, Gaps& gaps);
void observe_backup_jobs(Host& host, FactsBuilder facts, Gaps& gaps);

/// When the job in a file of at's queue is due, in Unix milliseconds: the name is the queue's
/// letter, five digits of the job and eight of the minute, hexadecimal.
std::optional<std::uint64_t> due_of(std::string_view name);

}  // namespace relab::agent::schedules
