#include "controller/lab/programs.h"

#include <fmt/format.h>
#include <map>
#include <set>

#include "common/wire/message.h"
#include "controller/rehearsal/world/described.h"

namespace relab::rehearsal {

namespace {

using Guest = schema::Lab::Guest::Reader;
using Guests = schema::AuditGuests;
using Service = schema::Lab::Service::Reader;
using Kind = schema::Lab::Service::Kind;

struct Unit {
  bool runs = false;
};

struct Container {
  std::string name;
  std::string image;
  std::uint16_t port = 0;
  std::string folder;
};

/// What one guest has, in the order in which an audit finds it.
struct Programs {
  std::map<std::string, Unit> units;
  std::set<std::uint16_t> ports;
  std::vector<Container> containers;
  /// "/etc/wireguard/wg0.conf"
  std::vector<std::string> tunnels;
};

/// What comes as an image of Docker, where there is one.
bool is_docked(Guest guest, Service service) {
  const auto kind = service.getKind();
  if (kind != Kind::OLLAMA && kind != Kind::OPEN_WEBUI) return false;
  return any_in(guest.getServices(),
                [](auto other) { return other.getKind() == Kind::DOCKER && !other.getPlanned(); });
}

std::string unit_of(const lab::Program& program) {
  std::string name(program.units.front());
  // Of WireGuard, by its interface.
  if (const auto at = name.find("@."); at != std::string::npos) name.insert(at + 1, "wg0");
  return name;
}

Programs programs_of(Guest guest) {
  Programs all;
  for (const auto service : guest.getServices()) {
    if (service.getPlanned()) continue;
    const auto& program = lab::program(service.getKind());
    if (service.getPort() != 0 && service.getKind() != Kind::WIREGUARD)
      all.ports.insert(service.getPort());
    if (service.getKind() == Kind::WIREGUARD &&
        (service.getPath().size() == 0 || view(service.getPath()) == program.folder))
      all.tunnels.push_back(fmt::format("{}/wg0.conf", program.folder));
    if (is_docked(guest, service))
      all.containers.push_back({.name = std::string(program.name),
                                .image = fmt::format("{}:latest", program.images.front()),
                                .port = service.getPort(),
                                .folder = str(service.getPath())});
    else if (!program.units.empty())
      // What only sets up an interface has no process.
      all.units[unit_of(program)] = {.runs = service.getKind() != Kind::WIREGUARD};
    if (service.getKind() == Kind::PBS) all.units["proxmox-backup.service"] = {.runs = true};
  }
  return all;
}

/// The rows of all guests, one behind the other.
template <typename Row>
using Rows = std::vector<std::pair<std::uint32_t, Row>>;

}  // namespace

void describe_programs(const Described& described, Guests::Facts::Builder facts) {
  Rows<std::pair<std::string, Unit>> units;
  Rows<std::uint16_t> ports;
  Rows<Container> containers;
  Rows<std::string> tunnels;
  for (const auto guest : described.guests) {
    if (!Described::is_container(guest)) continue;
    const auto found = programs_of(guest);
    for (const auto& unit : found.units) units.emplace_back(guest.getVmid(), unit);
    for (const auto port : found.ports) ports.emplace_back(guest.getVmid(), port);
    for (const auto& one : found.containers) containers.emplace_back(guest.getVmid(), one);
    for (const auto& path : found.tunnels) tunnels.emplace_back(guest.getVmid(), path);
  }
  auto unit_rows = facts.initUnits(static_cast<unsigned>(units.size()));
  for (unsigned i = 0; i < unit_rows.size(); ++i) {
    unit_rows[i].setVmid(units[i].first);
    unit_rows[i].setName(units[i].second.first);
    unit_rows[i].setEnabled(true);
    unit_rows[i].setRuns(units[i].second.second.runs);
  }
  auto port_rows = facts.initPorts(static_cast<unsigned>(ports.size()));
  for (unsigned i = 0; i < port_rows.size(); ++i) {
    port_rows[i].setVmid(ports[i].first);
    port_rows[i].setAddress("0.0.0.0");
    port_rows[i].setPort(ports[i].second);
  }
  auto tunnel_rows = facts.initTunnels(static_cast<unsigned>(tunnels.size()));
  for (unsigned i = 0; i < tunnel_rows.size(); ++i) {
    tunnel_rows[i].setVmid(tunnels[i].first);
    tunnel_rows[i].setPath(tunnels[i].second);
  }
  auto rows = facts.initDocker(static_cast<unsigned>(containers.size()));
  for (unsigned i = 0; i < rows.size(); ++i) {
    const auto& [vmid, container] = containers[i];
    rows[i].setVmid(vmid);
    rows[i].setName(container.name);
    rows[i].setImage(container.image);
    rows[i].setState("running");
    if (container.port != 0) rows[i].initPublished(1).set(0, container.port);
    if (!container.folder.empty()) rows[i].initFolders(1).set(0, container.folder);
  }
}

}  // namespace relab::rehearsal
