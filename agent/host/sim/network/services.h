#pragma once

/// What runs on a simulated machine besides systemd's units: sockets, processes and Docker's
/// containers, as its audit found them.

#include "agent/host/sim/network/docker_engine.h"
#include "agent/host/sim/network/sockets.h"
#include "agent/host/sim/part.h"

namespace relab::agent::sim {

class Services final : public Part {
 public:
  Services(SimHost& host, World world)
      : sockets_(host, world.getServices()), docker_(host, world.getServices()) {}

  Sockets& sockets() { return sockets_; }
  DockerEngine& docker() { return docker_; }

 private:
  Sockets sockets_;
  DockerEngine docker_;
};

}  // namespace relab::agent::sim
