#pragma once

/// Tunnels of WireGuard that come up and go with their units, "wg-quick@wg0.service".

#include "agent/host/sim/debian/units.h"
#include "agent/host/sim/network/wireguard.h"

namespace relab::agent::sim {

/// Borrows both.
inline void follow_units(Units& units, Wireguard& wireguard) {
  units.on("wg-quick@", [&wireguard](const std::string& unit, UnitAct act) {
    if (act == UnitAct::start) return wireguard.start_unit(unit);
    if (act == UnitAct::stop) wireguard.stop_unit(unit);
    return std::string();
  });
}

}  // namespace relab::agent::sim
