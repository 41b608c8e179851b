#include "agent/host/sim/network/ip_json.h"

#include <algorithm>
#include <array>
#include <limits>

#include "agent/host/sim/network/subnet.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

using Link = Wiring::Link;
using Address = Wiring::Address;
using Route = Wiring::Route;

constexpr auto forever = std::numeric_limits<std::uint32_t>::max();
/// Of a lease that was taken just now.
constexpr std::uint32_t leased_seconds = 3600;

Json flags_of(const network::Interface& interface) {
  auto flags = Json::array();
  if (interface.name == "lo") flags.push_back("LOOPBACK");
  const bool is_tunnel = interface.kind == "wireguard";
  if (is_tunnel)
    for (const auto* flag : {"POINTOPOINT", "NOARP"}) flags.push_back(flag);
  if (interface.name != "lo" && !is_tunnel)
    for (const auto* flag : {"BROADCAST", "MULTICAST"}) flags.push_back(flag);
  if (interface.is_up) flags.push_back("UP");
  if (interface.is_up && interface.state != "DOWN" && interface.state != "LOWERLAYERDOWN")
    flags.push_back("LOWER_UP");
  return flags;
}

Json link_info(const network::Interface& interface) {
  auto data = Json::object();
  if (interface.kind == "vlan") data = {{"protocol", "802.1Q"}, {"id", interface.vlan}};
  if (interface.kind == "bridge") data = {{"vlan_filtering", interface.filters_vlans ? 1 : 0}};
  if (interface.kind == "bond") data = {{"mode", interface.mode}};
  Json info = {{"info_kind", interface.kind}};
  if (!data.empty()) info["info_data"] = data;
  return info;
}

Json address_json(const Address& address) {
  Json row = {{"family", address.is_ipv4() ? "inet" : "inet6"},
              {"local", address.local},
              {"prefixlen", address.prefix},
              {"scope", address.scope},
              {"valid_life_time", address.is_dynamic ? leased_seconds : forever},
              {"preferred_life_time", address.is_dynamic ? leased_seconds : forever}};
  if (!address.broadcast.empty()) row["broadcast"] = address.broadcast;
  if (address.is_ipv4()) row["label"] = address.label;
  if (address.is_dynamic) row["dynamic"] = true;
  if (address.is_ipv4() && address.is_secondary) row["secondary"] = true;
  return row;
}

bool suits(const Address& address, std::string_view family) {
  return family.empty() || (family == "ip") == address.is_ipv4();
}

Json link_json(const Link& link, std::size_t index, const IpFilter& filter) {
  const auto& interface = link.interface;
  Json row = {
      {"ifindex", index},          {"ifname", interface.name},     {"flags", flags_of(interface)},
      {"mtu", interface.mtu},      {"operstate", interface.state}, {"group", "default"},
      {"addr_info", Json::array()}};
  // What is no address of the family that it is asked for is left out.
  if (filter.family.empty()) {
    const bool is_tunnel = interface.kind == "wireguard";
    row["link_type"] = interface.name == "lo" ? "loopback" : is_tunnel ? "none" : "ether";
    if (!is_tunnel) row["address"] = interface.mac;
  }
  if (!interface.master.empty()) row["master"] = interface.master;
  if (!interface.parent.empty()) row["link"] = interface.parent;
  if (filter.has_details && !interface.kind.empty()) row["linkinfo"] = link_info(interface);
  for (const auto& address : link.addresses)
    if (suits(address, filter.family)) row["addr_info"].push_back(address_json(address));
  return row;
}

/// What routes of several gateways share.
Json head_of(const Route& route) {
  Json row = {{"dst", route.told.destination}, {"flags", Json::array()}};
  if (route.told.type != "unicast") row["type"] = route.told.type;
  if (route.told.table != "main") row["table"] = route.told.table;
  if (!route.told.protocol.empty()) row["protocol"] = route.told.protocol;
  if (!route.scope.empty()) row["scope"] = route.scope;
  if (!route.told.source.empty()) row["prefsrc"] = route.told.source;
  if (route.told.metric != 0 || route.told.family == "ip6") row["metric"] = route.told.metric;
  if (route.told.family == "ip6") row["pref"] = "medium";
  return row;
}

void add_hop(const Route& route, const IpFilter& filter, Json& row) {
  const bool is_other_family =
      route.told.family == "ip" && route.told.gateway.find(':') != std::string::npos;
  if (is_other_family)
    row["via"] = {{"family", "inet6"}, {"host", route.told.gateway}};
  else if (!route.told.gateway.empty())
    row["gateway"] = route.told.gateway;
  if (!route.told.interface.empty() && filter.device.empty()) row["dev"] = route.told.interface;
  if (route.is_onlink) row["flags"].push_back("onlink");
}

/// Two ways of one route: the kernel keeps no second IPv4 route of the same destination, table and
/// metric.
bool is_same_route(const Route& one, const Route& other) {
  return one.told.family == "ip" && other.told.family == "ip" &&
         one.told.destination == other.told.destination && one.told.table == other.told.table &&
         one.told.metric == other.told.metric && one.told.protocol == other.told.protocol &&
         one.told.source == other.told.source && one.told.protocol != "kernel";
}

/// The table "local", of which no audit tells, since it is made of the addresses.
void add_local_routes(const Link& link, const IpFilter& filter, Json& rows) {
  for (const auto& address : link.addresses) {
    if (address.is_ipv4() != (filter.family == "ip")) continue;
    Json row = {{"type", "local"},      {"dst", address.local},   {"table", "local"},
                {"protocol", "kernel"}, {"flags", Json::array()}, {"dev", link.interface.name}};
    if (!filter.device.empty()) row.erase("dev");
    if (address.is_ipv4()) {
      row["scope"] = "host";
      row["prefsrc"] = address.local;
    } else {
      row["metric"] = 0;
      row["pref"] = "medium";
    }
    rows.push_back(std::move(row));
  }
}

bool has_value(std::string_view word) {
  static constexpr std::array<std::string_view, 6> alone = {
      "not", "iif_detached", "oif_detached", "l3mdev", "nop", "unresolved"};
  return std::ranges::find(alone, word) == alone.end();
}

}  // namespace

Json addresses_json(const Wiring& wiring, const IpFilter& filter) {
  auto rows = Json::array();
  std::size_t index = 0;
  for (const auto& link : wiring.links()) {
    auto row = link_json(link, ++index, filter);
    const bool is_wanted = filter.device.empty() || link.interface.name == filter.device;
    // Asked for one family, it leaves out those that have nothing of it.
    if (is_wanted && (filter.family.empty() || !row["addr_info"].empty()))
      rows.push_back(std::move(row));
  }
  return rows;
}

Json routes_json(const Wiring& wiring, const IpFilter& filter) {
  auto rows = Json::array();
  const auto& routes = wiring.routes();
  for (auto at = routes.begin(); at != routes.end();) {
    const auto first = at;
    at = std::find_if_not(std::next(at), routes.end(),
                          [&](const Route& other) { return is_same_route(*first, other); });
    if (first->told.family != filter.family) continue;
    auto row = head_of(*first);
    const bool is_single = std::next(first) == at;
    // One of several ways is on no single device, and so not among the routes of one.
    if (!filter.device.empty() && (!is_single || first->told.interface != filter.device)) continue;
    if (is_single) add_hop(*first, filter, row);
    for (auto hop = first; !is_single && hop != at; ++hop) {
      Json way = {{"weight", 1}, {"flags", Json::array()}};
      add_hop(*hop, filter, way);
      row["nexthops"].push_back(std::move(way));
    }
    rows.push_back(std::move(row));
  }
  for (const auto& link : wiring.links())
    if (filter.device.empty() || link.interface.name == filter.device)
      add_local_routes(link, filter, rows);
  return rows;
}

Json rules_json(const Wiring& wiring, std::string_view family) {
  auto rows = Json::array();
  for (const auto& rule : wiring.rules()) {
    if (rule.family != family) continue;
    Json row = {{"priority", rule.priority}};
    if (!rule.table.empty()) row["table"] = rule.table;
    const auto parts = words(rule.condition);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      auto& value = row[std::string(parts[i])];
      if (has_value(parts[i]) && i + 1 < parts.size()) value = std::string(parts[++i]);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Json bridge_vlans_json(const Wiring& wiring) {
  auto ports = Json::array();
  for (const auto& vlan : wiring.bridge_vlans()) {
    if (ports.empty() || ports.back()["ifname"] != vlan.port)
      ports.push_back({{"ifname", vlan.port}, {"vlans", Json::array()}});
    Json row = {{"vlan", vlan.first}};
    if (vlan.last != vlan.first)
      row = {{"vlan", vlan.first}, {"vlanEnd", vlan.last}, {"flags", Json::array()}};
    if (vlan.is_native) row["flags"].push_back("PVID");
    if (vlan.is_untagged) row["flags"].push_back("Egress Untagged");
    ports.back()["vlans"].push_back(std::move(row));
  }
  return ports;
}

}  // namespace relab::agent::sim
