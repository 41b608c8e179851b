#include "agent/kinds/services/audit.h"

#include "agent/kinds/services/containers.h"
#include "agent/kinds/services/observe.h"

namespace relab::agent::services {

Result<Message<schema::AuditServices::Facts>> AuditServices::observe(Params::Reader, Host& host) {
  // Without /proc nothing of the section can be seen.
  RELAB_TRY(const auto pids, process_ids(host).during("looking at the processes"));
  Draft<Facts> facts;
  Gaps gaps;
  facts->setInit(init_name(host, gaps));
  const bool has_systemd = observe_units(host, *facts, gaps);
  observe_sockets(host, pids, *facts, gaps);
  if (!has_systemd) observe_processes(host, pids, *facts, gaps);
  observe_containers(host, *facts, gaps);
  gaps.store(facts->initCoverage());
  return std::move(facts).finish();
}

}  // namespace relab::agent::services
