/// What runs in guests besides the applications of other sections: the inverse of what the audit
/// reads of it.

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "agent/host/sim/network/sockets.h"
#include "agent/host/sim/proxmox/applications.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Schema = schema::AuditGuests;

constexpr std::uint32_t first_inode = 40'000;

/// Of an instance, that of its template: "wg-quick@.service".
std::string file_name(const std::string& unit) {
  const auto at = unit.find('@');
  return at == std::string::npos ? unit : unit.substr(0, at + 1) + unit.substr(unit.rfind('.'));
}

void add_unit(Schema::Unit::Reader told, Applications& all) {
  const auto vmid = told.getVmid();
  const auto unit = str(told.getName());
  if (!all.units.emplace(std::pair(vmid, unit), told.getRuns()).second) return;
  const auto program = "/usr/sbin/" + unit.substr(0, unit.find_first_of("@."));
  const auto file = "/lib/systemd/system/" + file_name(unit);
  all.files.push_back(
      {.vmid = vmid,
       .path = file,
       .content = fmt::format("[Unit]\nDescription={}\n\n[Service]\nExecStart={}\n\n"
                              "[Install]\nWantedBy=multi-user.target\n",
                              unit, program),
       .unless_there = true});
  if (told.getEnabled())
    all.files.push_back({.vmid = vmid,
                         .path = "/etc/systemd/system/multi-user.target.wants/" + unit,
                         .content = file,
                         .status = {.type = FileType::symlink, .mode = 0777},
                         .unless_there = true});
  if (told.getRuns() || (told.getEnabled() && all.stopped.contains(vmid)))
    all.add_process(vmid, unit, {program});
}

void add_ports(Schema::Facts::Reader facts, Applications& all) {
  std::map<std::pair<std::uint32_t, std::string>, std::string> tables;
  std::uint32_t inode = first_inode;
  for (const auto told : facts.getPorts()) {
    const ListeningSocket socket{
        .protocol = view(told.getAddress()).find(':') == std::string_view::npos ? "tcp" : "tcp6",
        .address = str(told.getAddress()),
        .port = told.getPort()};
    auto& table = tables[{told.getVmid(), socket.protocol}];
    if (table.empty()) table = socket_table_head();
    ++inode;
    table += socket_table_row(inode - first_inode, socket, 0, inode);
  }
  for (auto& [place, table] : tables)
    all.add(place.first, "/proc/net/" + place.second, std::move(table));
}

/// Without keys.
void add_tunnel(Schema::Tunnel::Reader told, Applications& all) {
  const auto path = str(told.getPath());
  all.files.push_back({.vmid = told.getVmid(),
                       .path = path,
                       .content = path.ends_with(".netdev")
                                      ? "[NetDev]\nKind=wireguard\n[WireGuard]\n"
                                      : "[Interface]\n",
                       .status = {.type = FileType::regular, .mode = 0600},
                       .unless_there = true});
}

void add_docker(Schema::DockerContainer::Reader told, Applications& all) {
  auto& piece = all.container(told.getVmid(), str(told.getName()));
  if (piece.image.empty()) piece.image = str(told.getImage());
  piece.state = str(told.getState());
  piece.running = piece.state == "running" || all.stopped.contains(told.getVmid());
  if (all.stopped.contains(told.getVmid())) piece.state.clear();
  for (const auto port : told.getPublished())
    if (port != piece.published_port) piece.more_ports.push_back(port);
  for (const auto folder : told.getFolders()) {
    const auto known = std::ranges::find(piece.mounts, str(folder), &DockerPiece::Mount::source);
    if (known == piece.mounts.end())
      piece.mounts.push_back({.source = str(folder), .destination = str(folder)});
    all.add_folder(told.getVmid(), str(folder));
  }
}

}  // namespace

void add_programs(Schema::Facts::Reader facts, Applications& all) {
  for (const auto unit : facts.getUnits()) add_unit(unit, all);
  for (const auto container : facts.getDocker()) add_docker(container, all);
  for (const auto tunnel : facts.getTunnels()) add_tunnel(tunnel, all);
  add_ports(facts, all);
}

}  // namespace relab::agent::sim
