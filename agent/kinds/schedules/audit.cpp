#include "agent/kinds/schedules/audit.h"

#include "agent/kinds/schedules/observe.h"
#include "agent/kinds/schedules/observe_cron.h"

namespace relab::agent::schedules {

Result<Message<schema::AuditSchedules::Facts>> AuditSchedules::observe(Params::Reader, Host& host) {
  Draft<Facts> facts;
  Gaps gaps;
  observe_crontabs(host, *facts, gaps);
  observe_scripts(host, *facts, gaps);
  observe_anacron(host, *facts, gaps);
  observe_timers(host, *facts, gaps);
  observe_at_jobs(host, *facts, gaps);
  observe_backup_jobs(host, *facts, gaps);
  gaps.store(facts->initCoverage());
  return std::move(facts).finish();
}

}  // namespace relab::agent::schedules
