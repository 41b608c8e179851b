#pragma once

/// The parts of the section that cron and anacron run.

#include "agent/host/host.h"
#include "agent/kinds/support/gaps.h"
#include "schema/schedules.capnp.h"

namespace relab::agent::schedules {

using FactsBuilder = schema::AuditSchedules::Facts::Builder;

/// /etc/crontab, /etc/cron.d and the crontabs of the users.
void observe_crontabs(Host& host, FactsBuilder facts, Gaps& gaps);

/// /etc/cron.hourly and its kin.
void observe_scripts(Host& host, FactsBuilder facts, Gaps& gaps);

void observe_anacron(Host& host, FactsBuilder facts, Gaps& gaps);

/// Why run-parts passes over a file: its name, or its mode; "" if it runs it.
std::string why_not_run(std::string_view name, const FileStatus& status);

}  // namespace relab::agent::schedules
