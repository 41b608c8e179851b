#pragma once

/// The applications of an audit's facts as files, units and processes in the places that have them,
/// in which the audit finds them again.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/host/sim/part.h"
#include "agent/host/sim/proxmox/docker.h"
#include "agent/host/sim/proxmox/placed.h"

namespace relab::agent::sim {

/// Gathered from all sections.
struct Applications {
  std::vector<Placed> files = {};
  std::vector<DockerPiece> docker = {};
  /// Folders of this machine that the facts name.
  std::vector<std::string> host_folders = {};
  /// Containers that do not run: what starts with them is told to run once they do.
  std::set<std::uint32_t> stopped = {};

  void add(std::uint32_t vmid, std::string path, std::string content) {
    files.push_back({.vmid = vmid, .path = std::move(path), .content = std::move(content)});
  }
  void add_folder(std::uint32_t vmid, const std::string& path) {
    if (path.starts_with('/')) files.push_back(placed_folder(vmid, path));
  }
  void add_host_folder(const std::string& path) {
    if (path.starts_with('/')) host_folders.push_back(path);
  }
  /// What runs it, where it is not in Docker.
  struct Launch {
    std::uint32_t vmid = 0;
    /// Empty: none.
    std::string unit = {};
    bool running = false;
    std::vector<std::string> command = {};
  };
  void add(const Launch& launch);
  /// Units, with their places; whether they run.
  std::map<std::pair<std::uint32_t, std::string>, bool> units = {};
  /// A process of a unit.
  void add_process(std::uint32_t vmid, const std::string& unit,
                   const std::vector<std::string>& command);
  /// Of this name in that place; made if there is none.
  DockerPiece& container(std::uint32_t vmid, const std::string& name);
};

void add_arr(schema::AuditArr::Facts::Reader facts, Applications& all);
void add_jellyfin(schema::AuditJellyfin::Facts::Reader facts, Applications& all);
void add_pbs(schema::AuditPbs::Facts::Reader facts, Applications& all);
/// Units, ports and Docker's containers of guests, as far as none of the others has added them.
void add_programs(schema::AuditGuests::Facts::Reader facts, Applications& all);

/// What stands for such a character in XML.
std::string xml_text(std::string_view text);
/// "<Name>value</Name>" on a line of its own; nothing for an empty value.
std::string xml_element(std::string_view name, std::string_view value);

}  // namespace relab::agent::sim
