#include "agent/host/sim/proxmox/docker.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "agent/kinds/support/json.h"
#include "common/base/bytes.h"
#include "common/crypto/sha256.h"

namespace relab::agent::sim {

namespace {

std::string id_of(const DockerPiece& piece) {
  return crypto::sha256(bytes_of("docker " + piece.name));
}

Json inspection(const DockerPiece& piece) {
  Json mounts = Json::array();
  for (const auto& mount : piece.mounts)
    mounts.push_back({{"Type", "bind"},
                      {"Source", mount.source},
                      {"Destination", mount.destination},
                      {"RW", !mount.read_only}});
  Json devices = Json::array();
  for (const auto& device : piece.devices)
    devices.push_back({{"PathOnHost", device}, {"PathInContainer", device}});
  Json ports = Json::object();
  if (piece.published_port != 0)
    ports[fmt::format("{}/tcp", piece.port)] = {
        {{"HostIp", "0.0.0.0"}, {"HostPort", std::to_string(piece.published_port)}}};
  for (const auto port : piece.more_ports) {
    auto& published = ports[fmt::format("{}/tcp", port)];
    if (published.is_null()) published = Json::array();
    published.push_back({{"HostIp", "0.0.0.0"}, {"HostPort", std::to_string(port)}});
  }
  Json labels = Json::object();
  if (!piece.version.empty()) labels["org.opencontainers.image.version"] = piece.version;
  return {{"Id", id_of(piece)},
          {"Name", "/" + piece.name},
          {"Image", "sha256:" + crypto::sha256(bytes_of(piece.image))},
          {"Config", {{"Image", piece.image}, {"Labels", labels}}},
          {"State",
           {{"Status", !piece.state.empty() ? piece.state
                       : piece.running      ? "running"
                                            : "exited"},
            {"ExitCode", 0},
            {"Running", piece.running}}},
          {"Mounts", mounts},
          {"NetworkSettings", {{"Ports", ports}}},
          {"HostConfig",
           {{"NetworkMode", piece.network_mode},
            {"RestartPolicy", {{"Name", "unless-stopped"}}},
            {"Runtime", "runc"},
            {"Privileged", false},
            {"Devices", devices},
            {"PortBindings", ports}}}};
}

/// Of config.v2.json.
Json config_of(const DockerPiece& piece) {
  const auto whole = inspection(piece);
  Json mounts = Json::object();
  for (const auto& mount : whole["Mounts"]) mounts[mount["Destination"].get<std::string>()] = mount;
  return {{"ID", whole["Id"]},
          {"Name", whole["Name"]},
          {"Config", whole["Config"]},
          {"State", whole["State"]},
          {"MountPoints", mounts}};
}

}  // namespace

std::vector<Placed> files_of(const std::vector<DockerPiece>& pieces) {
  std::vector<Placed> files;
  for (const auto& piece : pieces) {
    for (const auto* path : {"/usr/bin/docker", "/usr/bin/dockerd"})
      files.push_back(
          {.vmid = piece.vmid, .path = path, .status = {.type = FileType::regular, .mode = 0755}});
    files.push_back(
        {.vmid = piece.vmid,
         .path = fmt::format("/var/lib/docker/containers/{}/config.v2.json", id_of(piece)),
         .content = config_of(piece).dump() + "\n"});
  }
  return files;
}

Docker::Docker(SimHost& host, std::uint32_t vmid, const std::vector<DockerPiece>& pieces)
    : host_(host) {
  std::copy_if(pieces.begin(), pieces.end(), std::back_inserter(pieces_),
               [&](const DockerPiece& piece) { return piece.vmid == vmid; });
  if (pieces_.empty()) return;
  host_.program("docker", [this](const Command& command) { return docker(command); });
}

Result<Output> Docker::docker(const Command& command) const {
  using Words = std::vector<std::string>;
  const Words words(command.argv.begin() + 1, command.argv.end());
  Output output;
  if (words == Words{"ps", "--all", "--quiet", "--no-trunc"}) {
    for (const auto& piece : pieces_) output.out += id_of(piece) + "\n";
    return output;
  }
  constexpr std::size_t before_ids = 3;
  if (words.size() < before_ids || words[0] != "inspect" || words[1] != "--type" ||
      words[2] != "container")
    return host_.does_not_know(command);
  Json list = Json::array();
  for (std::size_t i = before_ids; i < words.size(); ++i) {
    const auto piece = std::ranges::find_if(
        pieces_, [&](const DockerPiece& known) { return id_of(known) == words[i]; });
    if (piece == pieces_.end())
      return Output{.status = 1,
                    .out = "[]\n",
                    .err = fmt::format("Error: No such container: {}\n", words[i])};
    list.push_back(inspection(*piece));
  }
  output.out = list.dump() + "\n";
  return output;
}

}  // namespace relab::agent::sim
