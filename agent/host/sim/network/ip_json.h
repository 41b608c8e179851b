#pragma once

/// What `ip -json` and `bridge -json` print of a wiring.

#include <string>
#include <string_view>

#include "agent/host/sim/network/wiring.h"
#include "agent/kinds/support/json.h"

namespace relab::agent::sim {

struct IpFilter {
  /// "ip" or "ip6"; empty: both.
  std::string_view family = {};
  /// Empty: all.
  std::string_view device = {};
  bool has_details = false;
};

Json addresses_json(const Wiring& wiring, const IpFilter& filter);
/// Of all tables. Of one device, its name is not said.
Json routes_json(const Wiring& wiring, const IpFilter& filter);
Json rules_json(const Wiring& wiring, std::string_view family);
/// With ranges of VLANs as one.
Json bridge_vlans_json(const Wiring& wiring);

}  // namespace relab::agent::sim
