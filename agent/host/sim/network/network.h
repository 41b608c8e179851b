#pragma once

/// How a simulated machine is wired, as its audit found it: `ip`, `bridge`, `wg`, the packet
/// filters, and the files. Addresses and routes change as the kernel changes them.

#include "agent/host/sim/network/wireguard.h"
#include "agent/host/sim/network/wiring.h"
#include "agent/host/sim/part.h"

namespace relab::agent::sim {

class Network final : public Part {
 public:
  Network(SimHost& host, World world);

  /// For the cables of guests that start and stop, and for whoever asks what can be reached.
  Wiring& wiring() { return wiring_; }
  const Wiring& wiring() const { return wiring_; }
  Wireguard& wireguard() { return wireguard_; }

 private:
  Wiring wiring_;
  Wireguard wireguard_;
};

}  // namespace relab::agent::sim
