#include "agent/host/sim/network/network.h"

#include <string>

#include "agent/host/sim/network/coverage.h"
#include "agent/host/sim/network/filters.h"
#include "agent/host/sim/network/ip_program.h"
#include "agent/host/sim/network/network_files.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

std::string node_of(World world) {
  const auto node = str(world.getGuests().getNode());
  return node.empty() ? str(world.getNetwork().getHostname()) : node;
}

}  // namespace

Network::Network(SimHost& host, World world)
    : wiring_(world.getNetwork()), wireguard_(host, wiring_, world.getNetwork()) {
  const auto facts = world.getNetwork();
  host.program("ip", ip_program(host, wiring_));
  if (is_absent(facts.getCoverage(), "VLANs of bridges"))
    leave_out(host, "bridge");
  else
    host.program("bridge", bridge_program(host, wiring_));
  put_filters(host, facts);
  put_network_files(host, facts, node_of(world));
}

}  // namespace relab::agent::sim
