/// The table of every task kind this agent has; one line a kind.

#include <array>

#include "agent/kinds/archive/path_check.h"
#include "agent/kinds/archive/preserve.h"
#include "agent/kinds/archive/restore.h"
#include "agent/kinds/disks/attached.h"
#include "agent/kinds/disks/audit.h"
#include "agent/kinds/disks/usb_disk.h"
#include "agent/kinds/disks/wipe.h"
#include "agent/kinds/guests/agent_install.h"
#include "agent/kinds/guests/audit_guests.h"
#include "agent/kinds/guests/guest.h"
#include "agent/kinds/guests/guest_power.h"
#include "agent/kinds/guests/guest_template.h"
#include "agent/kinds/kind.h"
#include "agent/kinds/media/audit_arr.h"
#include "agent/kinds/media/audit_jellyfin.h"
#include "agent/kinds/network/audit.h"
#include "agent/kinds/network/ip_addresses.h"
#include "agent/kinds/packages/audit.h"
#include "agent/kinds/pbs/audit_pbs.h"
#include "agent/kinds/pci/audit.h"
#include "agent/kinds/probes/command_probe.h"
#include "agent/kinds/probes/dns_probe.h"
#include "agent/kinds/probes/http_probe.h"
#include "agent/kinds/probes/mount_check.h"
#include "agent/kinds/probes/tcp_probe.h"
#include "agent/kinds/schedules/audit.h"
#include "agent/kinds/self/ping.h"
#include "agent/kinds/services/audit.h"
#include "agent/kinds/system/apt_repository.h"
#include "agent/kinds/system/directory.h"
#include "agent/kinds/system/file.h"
#include "agent/kinds/system/packages.h"
#include "agent/kinds/system/unit.h"
#include "agent/kinds/zfs/audit.h"
#include "agent/kinds/zfs/backup.h"
#include "agent/kinds/zfs/health.h"
#include "agent/kinds/zfs/key_check.h"
#include "agent/kinds/zfs/pool_backup.h"
#include "agent/kinds/zfs/pool_verify.h"
#include "agent/kinds/zfs/scrub.h"
#include "agent/kinds/zfs/snapshot.h"
#include "agent/kinds/zfs/usb_pool.h"
#include "agent/kinds/zfs/verify.h"

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
      kind<zfs::ZfsKeyCheck>(),
      kind<zfs::ZfsSnapshot>(),
      kind<zfs::ZfsBackup>(),
      kind<zfs::ZfsBackupVerify>(),
      kind<zfs::ZfsPoolBackup>(),
      kind<zfs::ZfsPoolBackupVerify>(),
      kind<zfs::PoolHealth>(),
      kind<disks::UsbDisk>(),
      kind<zfs::ZfsScrub>(),
      kind<archive::Preserve>(),
      kind<archive::Restore>(),
      kind<zfs::UsbPool>(),
      kind<archive::PathCheck>(),
      kind<guests::GuestTemplate>(),
      kind<guests::Guest>(),
      kind<guests::GuestPower>(),
      kind<system::File>(),
      kind<system::Directory>(),
      kind<system::Packages>(),
      kind<system::AptRepository>(),
      kind<system::Unit>(),
      kind<probes::MountCheck>(),
      kind<probes::HttpProbe>(),
      kind<probes::TcpProbe>(),
      kind<probes::DnsProbe>(),
      kind<probes::CommandProbe>(),
      kind<guests::AgentInstall>(),
  };
  return kinds;
}

}  // namespace relab::agent
