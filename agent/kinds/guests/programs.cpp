#include "agent/kinds/guests/programs.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>
#include <set>
#include <utility>

#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/mounts.h"
#include "agent/kinds/support/places.h"
#include "agent/kinds/support/sockets.h"
#include "common/base/text.h"

namespace relab::agent::guests {

namespace {

constexpr std::string_view ending = ".service";

struct Unit {
  bool enabled = false;
  bool runs = false;
};

/// What one container has.
struct Programs {
  std::uint32_t vmid = 0;
  bool runs = false;
  std::map<std::string, Unit> units = {};
  std::set<std::pair<std::uint16_t, std::string>> ports = {};
  std::vector<DockerContainer> docker = {};
  std::set<std::string> tunnels = {};
};

/// What comes and goes by itself: timers start it, or somebody who asks, and it ends. Another audit
/// would not find it again.
bool is_passing(std::string_view unit) {
  static constexpr std::array names = {"apt-daily.service",
                                       "apt-daily-upgrade.service",
                                       "dpkg-db-backup.service",
                                       "e2scrub_all.service",
                                       "fstrim.service",
                                       "logrotate.service",
                                       "man-db.service",
                                       "packagekit.service",
                                       "systemd-hostnamed.service",
                                       "systemd-localed.service",
                                       "systemd-timedated.service",
                                       "systemd-tmpfiles-clean.service",
                                       "update-notifier.service",
                                       "phpsessionclean.service",
                                       "exim4-base.service"};
  return unit.starts_with("run-r") || unit.starts_with("run-u") ||
         std::ranges::find(names, unit) != names.end();
}

Wanted wanted_of(const Place& place) {
  Wanted wanted{.contents = {"/etc/systemd/network/*.netdev"},
                .names = {"/etc/systemd/system/*.wants/*.service", "/etc/wireguard/*.conf"}};
  if (place.running())
    for (const auto* path : {"/proc/*/cgroup", "/proc/net/tcp", "/proc/net/tcp6"})
      wanted.contents.emplace_back(path);
  return wanted;
}

void take_ports(const Place& place, const Gathered& gathered, Programs& programs, Gaps& gaps) {
  for (const std::string protocol : {"tcp", "tcp6"}) {
    const auto path = "/proc/net/" + protocol;
    const auto table = gathered.contents.find(path);
    const bool is_lost = gathered.unreadable.contains(path);
    // Without IPv6 there is no table of it. A machine with thousands of connections has a large
    // one.
    if (table == gathered.contents.end()) {
      if (is_lost || protocol == "tcp")
        gaps.absent("ports of " + place.title(),
                    fmt::format("its {} {}", path,
                                is_lost ? "is too large, or not to be read" : "is not there"));
      continue;
    }
    const auto sockets = parse_sockets(protocol, table->second);
    if (!sockets) {
      gaps.problem("ports of " + place.title(), sockets.error());
      continue;
    }
    for (const auto& socket : *sockets)
      if (is_open_to_others(socket.address)) programs.ports.emplace(socket.port, socket.address);
  }
}

/// Running ones have processes: where none is seen, nothing was read.
Result<void> take_units(const Place& place, const Gathered& gathered, Programs& programs) {
  for (const auto& name : gathered.names)
    if (name.find(".wants/") != std::string::npos)
      programs.units[Path(name).filename().string()].enabled = true;
  bool any = false;
  for (const auto& [path, text] : gathered.contents) {
    if (!path.ends_with("/cgroup")) continue;
    any = true;
    if (auto unit = unit_of_cgroup(text); !unit.empty() && !is_passing(unit))
      programs.units[unit].runs = true;
  }
  if (place.running() && !any)
    return fail(Fault::damaged, "none of its processes could be looked at");
  return {};
}

Result<Programs> look(Place& place, Gaps& gaps) {
  Programs programs{.vmid = place.vmid(), .runs = place.running()};
  RELAB_TRY(const auto gathered, place.gather(wanted_of(place)));
  for (const auto& [path, why] : gathered.unreadable)
    if (!path.starts_with("/proc/net/")) return fail(Fault::damaged, path + ": " + why);
  RELAB_CHECK(take_units(place, gathered, programs));
  if (place.running()) take_ports(place, gathered, programs, gaps);
  for (const auto& name : gathered.names)
    if (name.starts_with("/etc/wireguard/")) programs.tunnels.insert(name);
  for (const auto& [path, text] : gathered.contents)
    if (path.ends_with(".netdev") && text.find("[WireGuard]") != std::string::npos)
      programs.tunnels.insert(path);
  RELAB_TRY(auto docker, place.docker().during("looking for Docker"));
  programs.docker = std::move(docker.containers);
  return programs;
}

template <typename Row>
using Rows = std::vector<std::pair<std::uint32_t, Row>>;

/// What images have of the system that they run on.
bool is_of_system(std::string_view folder) {
  for (const auto* top : {"/dev", "/proc", "/sys", "/run", "/var/run", "/lib/modules",
                          "/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo"})
    if (is_at_or_below(folder, top)) return true;
  return folder.ends_with(".sock");
}

void set_docker(schema::AuditGuests::DockerContainer::Builder row, const DockerContainer& container,
                bool guest_runs) {
  row.setName(container.name);
  row.setImage(container.image);
  // What it was when its guest stopped is all that there is on the disk.
  row.setState(guest_runs ? container.state : "its guest does not run");
  std::set<std::uint16_t> ports;
  for (const auto& port : container.ports)
    if (port.host_port != 0 && port.protocol == "tcp") ports.insert(port.host_port);
  auto published = row.initPublished(size_of(ports));
  for (unsigned i = 0; const auto port : ports) published.set(i++, port);
  std::set<std::string> folders;
  for (const auto& mount : container.mounts)
    if (!mount.source.empty() && !is_of_system(mount.source)) folders.insert(mount.source);
  auto list = row.initFolders(size_of(folders));
  for (unsigned i = 0; const auto& folder : folders) list.set(i++, folder);
}

}  // namespace

std::string unit_of_cgroup(std::string_view text) {
  constexpr std::string_view slice = "/system.slice/";
  for (const auto line : lines(text)) {
    const auto at = line.find(slice);
    if (at == std::string_view::npos) continue;
    // Below a service, or a scope, are control groups of others: of a system within Docker, say.
    for (const auto part : split(line.substr(at + slice.size()), '/')) {
      if (part.ends_with(ending)) return std::string(part);
      if (!part.ends_with(".slice")) break;
    }
  }
  return {};
}

bool is_open_to_others(std::string_view address) {
  return !address.starts_with("127.") && !address.starts_with("::ffff:127.") && address != "::1";
}

void set_programs(schema::AuditGuests::Facts::Builder facts, Host& host,
                  const std::vector<PveGuest>& guests, Gaps& gaps) {
  Rows<std::pair<std::string, Unit>> units;
  Rows<std::pair<std::uint16_t, std::string>> ports;
  Rows<std::pair<DockerContainer, bool>> docker;
  Rows<std::string> tunnels;
  // That the state of one is not known is told already.
  auto known = guests;
  std::erase_if(known, [](const PveGuest& guest) { return guest.status.empty(); });
  for (const auto& place : containers_of(host, known, gaps)) {
    auto found = look(*place, gaps);
    if (!found) {
      gaps.problem(place->title(), found.error());
      continue;
    }
    for (const auto& unit : found->units) units.emplace_back(found->vmid, unit);
    for (const auto& port : found->ports) ports.emplace_back(found->vmid, port);
    for (auto& container : found->docker)
      docker.emplace_back(found->vmid, std::pair(std::move(container), found->runs));
    for (const auto& path : found->tunnels) tunnels.emplace_back(found->vmid, path);
  }
  fill(facts.initUnits(size_of(units)), units, [](auto row, const auto& of) {
    row.setVmid(of.first);
    row.setName(of.second.first);
    row.setEnabled(of.second.second.enabled);
    row.setRuns(of.second.second.runs);
  });
  fill(facts.initPorts(size_of(ports)), ports, [](auto row, const auto& of) {
    row.setVmid(of.first);
    row.setPort(of.second.first);
    row.setAddress(of.second.second);
  });
  fill(facts.initDocker(size_of(docker)), docker, [](auto row, const auto& of) {
    row.setVmid(of.first);
    set_docker(row, of.second.first, of.second.second);
  });
  fill(facts.initTunnels(size_of(tunnels)), tunnels, [](auto row, const auto& of) {
    row.setVmid(of.first);
    row.setPath(of.second);
  });
}

}  // namespace relab::agent::guests
