/// The table of every task kind this agent has; one line a kind.

#include <array>

#include "agent/kinds/disks/attached.h"
#include "agent/kinds/disks/audit.h"
#include "agent/kinds/disks/wipe.h"
#include "agent/kinds/guests/audit_guests.h"
#include "agent/kinds/kind.h"
#include "agent/kinds/media/audit_arr.h"
#include "agent/kinds/media/audit_jellyfin.h"
#include "agent/kinds/network/audit.h"
#include "agent/kinds/network/ip_addresses.h"
#include "agent/kinds/packages/audit.h"
#include "agent/kinds/pbs/audit_pbs.h"
#include "agent/kinds/pci/audit.h"
#include "agent/kinds/schedules/audit.h"
#include "agent/kinds/self/ping.h"
#include "agent/kinds/services/audit.h"
#include "agent/kinds/zfs/audit.h"

namespace relab::agent {

std::span<const Kind> all_kinds() {
  static constexpr std::array kinds = {
      kind<self::Ping>(),
      kind<network::AuditNetwork>(),
      kind<packages::AuditPackages>(),
      kind<schedules::AuditSchedules>(),
      kind<services::AuditServices>(),
      kind<guests::AuditGuests>(),
      kind<zfs::AuditZfs>(),
      kind<disks::AuditDisks>(),
      kind<pci::AuditPci>(),
      kind<media::AuditArr>(),
      kind<media::AuditJellyfin>(),
      kind<pbs::AuditPbs>(),
      kind<disks::DiskAttached>(),
      kind<network::IpAddresses>(),
      kind<disks::WipeDisk>(),
  };
  return kinds;
}

}  // namespace relab::agent
