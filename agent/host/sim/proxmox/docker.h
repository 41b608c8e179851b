#pragma once

/// Docker inside of a simulated container, as far as the audit asks it.

#include <cstdint>
#include <string>
#include <vector>

#include "agent/host/sim/proxmox/placed.h"
#include "agent/host/sim/sim_host.h"

namespace relab::agent::sim {

/// What one application tells of the Docker container that it runs in.
struct DockerPiece {
  struct Mount {
    std::string source;
    std::string destination;
    bool read_only = false;
  };
  std::uint32_t vmid = 0;
  std::string name;
  std::string image = {};
  std::string version = {};
  std::string network_mode = {};
  bool running = false;
  /// As Docker tells; empty: what goes with `running`.
  std::string state = {};
  std::uint16_t port = 0;
  /// 0: it is not published.
  std::uint16_t published_port = 0;
  /// Further ports of the guest.
  std::vector<std::uint16_t> more_ports = {};
  std::vector<Mount> mounts = {};
  std::vector<std::string> devices = {};
};

/// What the engine keeps of its containers on the disk, and its programs.
std::vector<Placed> files_of(const std::vector<DockerPiece>& pieces);

class Docker {
 public:
  /// Has no program without containers.
  Docker(SimHost& host, std::uint32_t vmid, const std::vector<DockerPiece>& pieces);

  Result<Output> docker(const Command& command) const;

 private:
  SimHost& host_;
  std::vector<DockerPiece> pieces_;
};

}  // namespace relab::agent::sim
