/// The table of every task kind this agent has; one line a kind.

#include <array>

#include "agent/kinds/guests/audit_guests.h"
#include "agent/kinds/kind.h"
#include "agent/kinds/media/audit_arr.h"
#include "agent/kinds/media/audit_jellyfin.h"
#include "agent/kinds/pbs/audit_pbs.h"
#include "agent/kinds/self/ping.h"

namespace relab::agent {

std::span<const Kind> all_kinds() {
  static constexpr std::array kinds = {
      kind<self::Ping>(),           kind<guests::AuditGuests>(), kind<media::AuditArr>(),
      kind<media::AuditJellyfin>(), kind<pbs::AuditPbs>(),
  };
  return kinds;
}

}  // namespace relab::agent
