// Any bytes as the output or the file of a foreign program: the first byte says which parser reads
// the rest. No crash, no endless work. The table only grows at its end: the corpus names its rows
// by number.

#include <cstddef>
#include <cstdint>
#include <pugixml.hpp>

#include "agent/kinds/archive/manifest.h"
#include "agent/kinds/archive/source.h"
#include "agent/kinds/disks/smart.h"
#include "agent/kinds/disks/wipe.h"
#include "agent/kinds/guests/agent_inside.h"
#include "agent/kinds/guests/templates.h"
#include "agent/kinds/media/ini.h"
#include "agent/kinds/media/launch.h"
#include "agent/kinds/media/root_folders.h"
#include "agent/kinds/media/server.h"
#include "agent/kinds/media/settings.h"
#include "agent/kinds/media/xml.h"
#include "agent/kinds/network/interfaces_file.h"
#include "agent/kinds/network/ipv4.h"
#include "agent/kinds/network/links.h"
#include "agent/kinds/network/packet_filter.h"
#include "agent/kinds/network/pve_firewall.h"
#include "agent/kinds/network/resolver.h"
#include "agent/kinds/network/wireguard.h"
#include "agent/kinds/packages/deb822.h"
#include "agent/kinds/packages/dpkg.h"
#include "agent/kinds/packages/machine.h"
#include "agent/kinds/packages/sources.h"
#include "agent/kinds/pbs/server_config.h"
#include "agent/kinds/pci/devices.h"
#include "agent/kinds/pci/names.h"
#include "agent/kinds/pci/nvidia.h"
#include "agent/kinds/probes/curl.h"
#include "agent/kinds/probes/dig.h"
#include "agent/kinds/schedules/backup_jobs.h"
#include "agent/kinds/schedules/crontab.h"
#include "agent/kinds/schedules/timers.h"
#include "agent/kinds/services/processes.h"
#include "agent/kinds/services/units.h"
#include "agent/kinds/support/block.h"
#include "agent/kinds/support/docker.h"
#include "agent/kinds/support/json.h"
#include "agent/kinds/support/look_inside.h"
#include "agent/kinds/support/mounts.h"
#include "agent/kinds/support/pve_config.h"
#include "agent/kinds/support/redact.h"
#include "agent/kinds/support/section_config.h"
#include "agent/kinds/support/sockets.h"
#include "agent/kinds/support/tree.h"
#include "agent/kinds/system/apt.h"
#include "agent/kinds/system/difference.h"
#include "agent/kinds/system/dpkg.h"
#include "agent/kinds/system/rights.h"
#include "agent/kinds/system/show.h"
#include "agent/kinds/system/sources_file.h"
#include "agent/kinds/system/unit_watch.h"
#include "agent/kinds/zfs/backup_view.h"
#include "agent/kinds/zfs/members.h"
#include "agent/kinds/zfs/status.h"
#include "agent/kinds/zfs/tables.h"
#include "common/base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using relab::agent::GuestType;
using Text = std::string_view;
using Parser = void (*)(Text);

/// What comes out is not looked at: whether it can be had at all is the question.
template <typename Parsed>
void drop(const Parsed& /*parsed*/) {}

constexpr Parser parsers[] = {
    [](Text t) {
      drop(
          relab::agent::schedules::parse_crontab(t, relab::agent::schedules::CrontabStyle::system));
    },
    [](Text t) { drop(relab::agent::schedules::parse_anacrontab(t)); },
    [](Text t) { drop(relab::agent::schedules::parse_jobs_cfg(t)); },
    [](Text t) { drop(relab::agent::schedules::parse_vzdump_cron(t)); },
    [](Text t) { drop(relab::agent::schedules::parse_timers(t)); },
    [](Text t) { drop(relab::agent::parse_section_config(t, "fuzz")); },
    [](Text t) { drop(relab::agent::pbs::parse_gc_status(t)); },
    [](Text t) { drop(relab::agent::packages::parse_dpkg_status(t)); },
    [](Text t) { drop(relab::agent::packages::parse_os_release(t)); },
    [](Text t) { drop(relab::agent::packages::parse_cpuinfo(t)); },
    [](Text t) { drop(relab::agent::packages::parse_memory_total(t)); },
    [](Text t) { drop(relab::agent::packages::parse_memory_array(t)); },
    [](Text t) { drop(relab::agent::packages::parse_secure_boot(t)); },
    [](Text t) { drop(relab::agent::packages::parse_pveversion(t)); },
    [](Text t) { drop(relab::agent::packages::parse_source_list(t)); },
    [](Text t) { drop(relab::agent::packages::parse_sources(t)); },
    [](Text t) { drop(relab::agent::packages::parse_pins(t)); },
    [](Text t) { drop(relab::agent::packages::parse_deb822(t)); },
    [](Text t) { drop(relab::agent::parse_sockets("tcp", t)); },
    [](Text t) { drop(relab::agent::parse_address(t)); },
    [](Text t) { drop(relab::agent::services::parse_units(t)); },
    [](Text t) { drop(relab::agent::services::parse_unit_files(t)); },
    [](Text t) { drop(relab::agent::services::parse_process(1, t)); },
    [](Text t) { drop(relab::agent::services::parse_cgroup(t)); },
    [](Text t) { drop(relab::agent::services::parse_users(t)); },
    [](Text t) { drop(relab::agent::services::parse_socket_link(t)); },
    [](Text t) { drop(relab::agent::disks::parse_smart(t)); },
    [](Text t) { drop(relab::agent::network::parse_links(t)); },
    [](Text t) { drop(relab::agent::network::parse_bridge_vlans(t)); },
    [](Text t) { drop(relab::agent::network::parse_routes("ipv4", t)); },
    [](Text t) { drop(relab::agent::network::parse_rules("ipv4", t)); },
    [](Text t) { drop(relab::agent::network::parse_firewall(t)); },
    [](Text t) { drop(relab::agent::network::parse_firewall_status(t)); },
    [](Text t) { drop(relab::agent::network::parse_interfaces(t)); },
    [](Text t) { drop(relab::agent::network::parse_resolv_conf(t)); },
    [](Text t) { drop(relab::agent::network::parse_hosts(t)); },
    [](Text t) { drop(relab::agent::network::parse_nft(t)); },
    [](Text t) { drop(relab::agent::network::parse_iptables_save("ipv4", t)); },
    [](Text t) { drop(relab::agent::network::parse_ufw(t)); },
    [](Text t) { drop(relab::agent::network::parse_wireguard_dump(t)); },
    [](Text t) {
      pugi::xml_document document;
      drop(relab::agent::media::parse_xml(t, "fuzz", document));
    },
    [](Text t) { drop(relab::agent::media::parse_cmdline(t)); },
    [](Text t) { drop(relab::agent::media::parse_unit(t)); },
    [](Text t) { drop(relab::agent::media::parse_servarr(t)); },
    [](Text t) { drop(relab::agent::media::parse_bazarr(t)); },
    [](Text t) { drop(relab::agent::media::parse_qbittorrent(t)); },
    [](Text t) { drop(relab::agent::media::parse_sabnzbd(t)); },
    [](Text t) { drop(relab::agent::media::parse_jackett(t)); },
    [](Text t) { drop(relab::agent::media::parse_seerr(t)); },
    [](Text t) { drop(relab::agent::media::parse_transmission(t)); },
    [](Text t) { drop(relab::agent::media::parse_deluge(t)); },
    [](Text t) { drop(relab::agent::media::parse_nzbget(t)); },
    [](Text t) { drop(relab::agent::media::parse_root_folders(t)); },
    [](Text t) { drop(relab::agent::media::parse_system(t)); },
    [](Text t) { drop(relab::agent::media::parse_network(t)); },
    [](Text t) { drop(relab::agent::media::parse_encoding(t)); },
    [](Text t) { drop(relab::agent::media::data_told_by_defaults(t)); },
    [](Text t) { drop(relab::agent::media::parse_library(t)); },
    [](Text t) { drop(relab::agent::media::Ini::parse(t, "fuzz")); },
    [](Text t) { drop(relab::agent::media::Ini::parse_yaml(t, "fuzz")); },
    [](Text t) { drop(relab::agent::zfs::parse_pool_properties(t)); },
    [](Text t) { drop(relab::agent::zfs::parse_datasets(t)); },
    [](Text t) { drop(relab::agent::zfs::parse_snapshots(t)); },
    [](Text t) { drop(relab::agent::zfs::parse_versions(t)); },
    [](Text t) { drop(relab::agent::zfs::parse_status_json(t)); },
    [](Text t) { drop(relab::agent::zfs::parse_status_text(t)); },
    [](Text t) { drop(relab::agent::zfs::parse_scan(t)); },
    [](Text t) { drop(relab::agent::zfs::without_credentials(t)); },
    [](Text t) { drop(relab::agent::parse_docker_inspect(t)); },
    [](Text t) { drop(relab::agent::parse_docker_config(t)); },
    [](Text t) { drop(relab::agent::parse_look(t)); },
    [](Text t) { drop(relab::agent::parse_pve_config(t, GuestType::lxc)); },
    [](Text t) { drop(relab::agent::parse_pve_config(t, GuestType::qemu)); },
    [](Text t) { drop(relab::agent::Properties(t, "volume")); },
    [](Text t) { drop(relab::agent::parse_pve_size(t)); },
    [](Text t) { drop(relab::agent::redact(t)); },
    [](Text t) { drop(relab::agent::BlockDevices::parse(t)); },
    [](Text t) { drop(relab::agent::pci::parse_huc(t)); },
    [](Text t) { drop(relab::agent::pci::normal_address(t)); },
    [](Text t) { drop(relab::agent::pci::parse_nvidia(t)); },
    [](Text t) {
      drop(relab::agent::schedules::parse_crontab(t, relab::agent::schedules::CrontabStyle::user));
    },
    [](Text t) {
      drop(relab::agent::matches_path(t.substr(t.size() / 2), t.substr(0, t.size() / 2)));
    },
    [](Text t) { drop(relab::agent::disks::parse_signatures(t)); },
    [](Text t) { drop(relab::agent::network::parse_ipv4(t, "eth0")); },
    [](Text t) {
      relab::agent::network::Ipv4 into;
      drop(relab::agent::network::parse_ipv4_routes(t, into));
    },
    [](Text t) { drop(relab::agent::parse_mountinfo(t)); },
    [](Text t) { drop(relab::agent::pbs::parse_config_file(t, relab::agent::pbs::datastores)); },
    [](Text t) { drop(relab::agent::pbs::parse_config_json(t, relab::agent::pbs::prune_jobs)); },
    [](Text t) { drop(relab::agent::parse_json(t, "fuzz")); },
    [](Text t) { drop(relab::agent::parse_mounts(t)); },
    [](Text t) { drop(relab::agent::zfs::parse_tree(t)); },
    [](Text t) { drop(relab::agent::zfs::parse_estimate(t)); },
    [](Text t) { drop(relab::agent::zfs::parse_members(t)); },
    [](Text t) { drop(relab::agent::zfs::read_manifest(t)); },
    [](Text t) { drop(relab::agent::archive::read_manifest(t)); },
    [](Text t) {
      drop(relab::agent::archive::judge_tar({.status = 1, .out = {}, .err = std::string(t)}));
    },
    [](Text t) { drop(relab::agent::system::parse_packages(t)); },
    [](Text t) { drop(relab::agent::system::parse_package_file(t)); },
    [](Text t) { drop(relab::agent::system::parse_simulation(t)); },
    [](Text t) { drop(relab::agent::system::parse_update(t)); },
    [](Text t) { drop(relab::agent::system::parse_show(t)); },
    [](Text t) { drop(relab::agent::system::parse_unix_time(t)); },
    [](Text t) { drop(relab::agent::system::parse_id(t, "root")); },
    [](Text t) { drop(relab::agent::system::parse_fingerprints(t)); },
    [](Text t) { drop(relab::agent::system::switched_off(t, true)); },
    [](Text t) {
      drop(relab::agent::system::difference(t.substr(0, t.size() / 2), t.substr(t.size() / 2)));
    },
    [](Text t) { drop(relab::agent::probes::parse_curl_report(t)); },
    [](Text t) { drop(relab::agent::probes::parse_dig(t, "TXT")); },
    [](Text t) { drop(relab::agent::parse_mount_at(t, "/mnt/usb")); },
    [](Text t) { drop(relab::agent::guests::parse_template_index(t)); },
    [](Text t) { drop(relab::agent::guests::parse_agent(t)); },
    [](Text t) { drop(relab::agent::parse_mount_holding(t, "/mnt/usb")); },
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto which = static_cast<std::size_t>(data[0]);
  if (which >= std::size(parsers)) return -1;
  parsers[which](relab::text_of({data + 1, size - 1}));
  return 0;
}
