#pragma once

/// Interfaces, addresses, VLANs, routes and rules, out of iproute2's JSON. Every parser takes
/// Fault::damaged for a text that is no list of such things; an empty list is one.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::network {

struct Address {
  std::string interface = {};
  std::string address = {};
  std::uint8_t prefix = 0;
  std::string scope = {};
  bool is_dynamic = false;

  bool operator==(const Address&) const = default;
};

struct Interface {
  std::string name = {};
  std::string kind = {};
  std::string mac = {};
  bool is_up = false;
  std::string state = {};
  std::uint32_t mtu = 0;
  std::string master = {};
  std::string parent = {};
  std::uint16_t vlan = 0;
  bool filters_vlans = false;
  std::string mode = {};

  bool operator==(const Interface&) const = default;
};

struct Links {
  std::vector<Interface> interfaces = {};
  std::vector<Address> addresses = {};
};

/// `ip -json -details address`. No interface at all is damaged: there is always the loopback.
Result<Links> parse_links(std::string_view json);

/// Proxmox's names for what belongs to a guest: veth112i0, tap100i0, fwbr112i0, fwpr112p0,
/// fwln112i0.
bool is_guests(std::string_view name);

struct BridgeVlan {
  std::string port = {};
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  bool is_native = false;
  bool is_untagged = false;

  bool operator==(const BridgeVlan&) const = default;
};

/// `bridge -json -compressvlans vlan show`.
Result<std::vector<BridgeVlan>> parse_bridge_vlans(std::string_view json);

struct Route {
  std::string family = {};
  std::string table = {};
  std::string type = {};
  std::string destination = {};
  std::string gateway = {};
  std::string interface = {};
  std::string source = {};
  std::uint32_t metric = 0;
  std::string protocol = {};

  bool operator==(const Route&) const = default;
};

/// `ip -json -4|-6 route show table all`, without the table "local"; a route over several gateways
/// becomes one for each.
Result<std::vector<Route>> parse_routes(std::string_view family, std::string_view json);

struct Rule {
  std::string family = {};
  std::uint32_t priority = 0;
  std::string condition = {};
  std::string table = {};

  bool operator==(const Rule&) const = default;
};

/// `ip -json -4|-6 rule`.
Result<std::vector<Rule>> parse_rules(std::string_view family, std::string_view json);

}  // namespace relab::agent::network
