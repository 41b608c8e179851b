#include "agent/kinds/packages/audit.h"

#include "agent/kinds/packages/observe_apt.h"
#include "agent/kinds/packages/observe_machine.h"

namespace relab::agent::packages {

Result<Message<schema::AuditPackages::Facts>> AuditPackages::observe(Params::Reader, Host& host) {
  Draft<Facts> facts;
  Gaps gaps;
  observe_system(host, *facts, gaps);
  observe_hardware(host, *facts, gaps);
  observe_installed(host, *facts, gaps);
  observe_sources(host, *facts, gaps);
  observe_pins(host, *facts, gaps);
  observe_updates(host, *facts, gaps);
  gaps.store(facts->initCoverage());
  return std::move(facts).finish();
}

}  // namespace relab::agent::packages
