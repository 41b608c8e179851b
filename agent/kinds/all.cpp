/// The table of every task kind this agent has; one line a kind.

#include <array>

#include "agent/kinds/kind.h"
#include "agent/kinds/network/audit.h"
#include "agent/kinds/packages/audit.h"
#include "agent/kinds/schedules/audit.h"
#include "agent/kinds/self/ping.h"
#include "agent/kinds/services/audit.h"

namespace relab::agent {

std::span<const Kind> all_kinds() {
  static constexpr std::array kinds = {
      kind<self::Ping>(),
      kind<network::AuditNetwork>(),
      kind<packages::AuditPackages>(),
      kind<schedules::AuditSchedules>(),
      kind<services::AuditServices>(),
  };
  return kinds;
}

}  // namespace relab::agent
