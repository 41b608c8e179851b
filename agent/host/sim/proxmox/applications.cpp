#include "agent/host/sim/proxmox/applications.h"

#include <algorithm>
#include <fmt/format.h>

namespace relab::agent::sim {

void Applications::add(const Launch& launch) {
  const bool runs = launch.running || stopped.contains(launch.vmid);
  const std::string folder = "/etc/systemd/system/";
  if (!launch.unit.empty()) {
    units.emplace(std::pair(launch.vmid, launch.unit), launch.running);
    // None of the words has blanks in it.
    add(launch.vmid, folder + launch.unit,
        fmt::format("[Unit]\nDescription={}\n\n[Service]\nExecStart={}\n\n[Install]\n"
                    "WantedBy=multi-user.target\n",
                    launch.unit, fmt::join(launch.command, " ")));
    files.push_back({.vmid = launch.vmid,
                     .path = launch.command.front(),
                     .status = {.type = FileType::regular, .mode = 0755}});
  }
  if (!runs) return;
  if (!launch.unit.empty())
    files.push_back({.vmid = launch.vmid,
                     .path = folder + "multi-user.target.wants/" + launch.unit,
                     .content = folder + launch.unit,
                     .status = {.type = FileType::symlink, .mode = 0777}});
  add_process(launch.vmid, launch.unit.empty() ? std::string("session-1.scope") : launch.unit,
              launch.command);
}

void Applications::add_process(std::uint32_t vmid, const std::string& unit,
                               const std::vector<std::string>& command) {
  constexpr std::size_t first_process = 20'000;
  const auto process = fmt::format("/proc/{}", first_process + files.size());
  std::string line;
  for (const auto& word : command) line += word + '\0';
  add(vmid, process + "/cmdline", line);
  add(vmid, process + "/cgroup", fmt::format("0::/system.slice/{}\n", unit));
}

DockerPiece& Applications::container(std::uint32_t vmid, const std::string& name) {
  const auto found = std::find_if(docker.begin(), docker.end(), [&](const DockerPiece& piece) {
    return piece.vmid == vmid && piece.name == name;
  });
  if (found != docker.end()) return *found;
  docker.push_back({.vmid = vmid, .name = name});
  return docker.back();
}

std::string xml_text(std::string_view text) {
  std::string safe;
  for (const char c : text)
    safe += c == '&'   ? std::string("&amp;")
            : c == '<' ? std::string("&lt;")
            : c == '>' ? std::string("&gt;")
                       : std::string(1, c);
  return safe;
}

std::string xml_element(std::string_view name, std::string_view value) {
  if (value.empty()) return {};
  return fmt::format("  <{0}>{1}</{0}>\n", name, xml_text(value));
}

}  // namespace relab::agent::sim
