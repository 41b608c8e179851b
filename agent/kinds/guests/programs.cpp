#include "agent/kinds/guests/programs.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "agent/kinds/support/fill.h"
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
  std::map<std::string, Unit> units = {};
  std::set<std::pair<std::uint16_t, std::string>> ports = {};
  std::vector<DockerContainer> docker = {};
};

/// What systemd-run named: another audit would not find it again.
bool is_passing(std::string_view unit) {
  return unit.starts_with("run-r") || unit.starts_with("run-u");
}

Wanted wanted_of(const Place& place) {
  Wanted wanted{.contents = {}, .names = {"/etc/systemd/system/*.wants/*.service"}};
  if (place.running()) wanted.contents = {"/proc/*/cgroup", "/proc/net/tcp", "/proc/net/tcp6"};
  return wanted;
}

Result<void> take_ports(std::string_view protocol, const Gathered& gathered, Programs& programs) {
  const auto table = gathered.contents.find("/proc/net/" + std::string(protocol));
  // Without IPv6 there is no table of it.
  if (table == gathered.contents.end()) return {};
  RELAB_TRY(const auto sockets, parse_sockets(protocol, table->second));
  for (const auto& socket : sockets)
    if (is_open_to_others(socket.address)) programs.ports.emplace(socket.port, socket.address);
  return {};
}

Result<Programs> look(Place& place) {
  Programs programs{.vmid = place.vmid()};
  RELAB_TRY(const auto gathered, place.gather(wanted_of(place)));
  if (!gathered.unreadable.empty()) {
    const auto& [path, why] = *gathered.unreadable.begin();
    return fail(Fault::damaged, path + ": " + why);
  }
  for (const auto& name : gathered.names)
    if (name.find(".wants/") != std::string::npos)
      programs.units[Path(name).filename().string()].enabled = true;
  for (const auto& [path, text] : gathered.contents)
    if (path.ends_with("/cgroup"))
      if (auto unit = unit_of_cgroup(text); !unit.empty() && !is_passing(unit))
        programs.units[unit].runs = true;
  RELAB_CHECK(take_ports("tcp", gathered, programs).during("reading its ports"));
  RELAB_CHECK(take_ports("tcp6", gathered, programs).during("reading its ports"));
  RELAB_TRY(auto docker, place.docker().during("looking for Docker"));
  programs.docker = std::move(docker.containers);
  return programs;
}

template <typename Row>
using Rows = std::vector<std::pair<std::uint32_t, Row>>;

void set_docker(schema::AuditGuests::DockerContainer::Builder row,
                const DockerContainer& container) {
  row.setName(container.name);
  row.setImage(container.image);
  row.setState(container.state);
  std::set<std::uint16_t> ports;
  for (const auto& port : container.ports)
    if (port.host_port != 0 && port.protocol == "tcp") ports.insert(port.host_port);
  auto published = row.initPublished(size_of(ports));
  for (unsigned i = 0; const auto port : ports) published.set(i++, port);
  std::set<std::string> folders;
  for (const auto& mount : container.mounts)
    if (mount.type == "bind") folders.insert(mount.source);
  auto list = row.initFolders(size_of(folders));
  for (unsigned i = 0; const auto& folder : folders) list.set(i++, folder);
}

}  // namespace

std::string unit_of_cgroup(std::string_view text) {
  constexpr std::string_view slice = "/system.slice/";
  for (const auto line : lines(text)) {
    const auto at = line.find(slice);
    if (at == std::string_view::npos) continue;
    for (const auto part : split(line.substr(at + slice.size()), '/'))
      if (part.ends_with(ending)) return std::string(part);
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
  Rows<DockerContainer> docker;
  // That the state of one is not known is told already.
  auto known = guests;
  std::erase_if(known, [](const PveGuest& guest) { return guest.status.empty(); });
  for (const auto& place : containers_of(host, known, gaps)) {
    auto found = look(*place);
    if (!found) {
      gaps.problem(place->title(), found.error());
      continue;
    }
    for (const auto& unit : found->units) units.emplace_back(found->vmid, unit);
    for (const auto& port : found->ports) ports.emplace_back(found->vmid, port);
    for (auto& container : found->docker) docker.emplace_back(found->vmid, std::move(container));
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
    set_docker(row, of.second);
  });
}

}  // namespace relab::agent::guests
