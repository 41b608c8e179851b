#include "agent/kinds/network/observe_links.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "agent/kinds/network/wireguard.h"
#include "common/base/text.h"

namespace relab::agent::network {

namespace {

constexpr std::uint64_t millis_per_second = 1000;
/// A node with many guests and their VLANs prints a lot.
constexpr std::size_t output_max = std::size_t{16} << 20U;

void put(const std::vector<Interface>& interfaces, FactsBuilder facts) {
  auto list = facts.initInterfaces(static_cast<unsigned>(interfaces.size()));
  unsigned i = 0;
  for (const auto& interface : interfaces) {
    auto entry = list[i++];
    entry.setName(interface.name);
    entry.setKind(interface.kind);
    entry.setMac(interface.mac);
    entry.setUp(interface.is_up);
    entry.setState(interface.state);
    entry.setMtu(interface.mtu);
    entry.setMaster(interface.master);
    entry.setParent(interface.parent);
    entry.setVlan(interface.vlan);
    entry.setVlanFiltering(interface.filters_vlans);
    entry.setMode(interface.mode);
    entry.setGuest(is_guests(interface.name));
  }
}

void put(const std::vector<Address>& addresses, FactsBuilder facts) {
  auto list = facts.initAddresses(static_cast<unsigned>(addresses.size()));
  unsigned i = 0;
  for (const auto& address : addresses) {
    auto entry = list[i++];
    entry.setInterface(address.interface);
    entry.setAddress(address.address);
    entry.setPrefix(address.prefix);
    entry.setScope(address.scope);
    entry.setDynamic(address.is_dynamic);
  }
}

void put(const std::vector<BridgeVlan>& vlans, FactsBuilder facts) {
  auto list = facts.initBridgeVlans(static_cast<unsigned>(vlans.size()));
  unsigned i = 0;
  for (const auto& vlan : vlans) {
    auto entry = list[i++];
    entry.setPort(vlan.port);
    entry.setFirst(vlan.first);
    entry.setLast(vlan.last);
    entry.setNative(vlan.is_native);
    entry.setUntagged(vlan.is_untagged);
  }
}

void put(const std::vector<Route>& routes, FactsBuilder facts) {
  auto list = facts.initRoutes(static_cast<unsigned>(routes.size()));
  unsigned i = 0;
  for (const auto& route : routes) {
    auto entry = list[i++];
    entry.setFamily(route.family);
    entry.setTable(route.table);
    entry.setType(route.type);
    entry.setDestination(route.destination);
    entry.setGateway(route.gateway);
    entry.setInterface(route.interface);
    entry.setSource(route.source);
    entry.setMetric(route.metric);
    entry.setProtocol(route.protocol);
  }
}

void put(const std::vector<Rule>& rules, FactsBuilder facts) {
  auto list = facts.initRules(static_cast<unsigned>(rules.size()));
  unsigned i = 0;
  for (const auto& rule : rules) {
    auto entry = list[i++];
    entry.setFamily(rule.family);
    entry.setPriority(rule.priority);
    entry.setCondition(rule.condition);
    entry.setTable(rule.table);
  }
}

void put(const WireguardDump& dump, FactsBuilder facts) {
  auto interfaces = facts.initWireguard(static_cast<unsigned>(dump.interfaces.size()));
  unsigned i = 0;
  for (const auto& interface : dump.interfaces) {
    auto entry = interfaces[i++];
    entry.setInterface(interface.interface);
    entry.setPublicKey(interface.public_key);
    entry.setPort(interface.port);
    entry.setMark(interface.mark);
    entry.setPeers(interface.peers);
  }
  auto peers = facts.initWireguardPeers(static_cast<unsigned>(dump.peers.size()));
  i = 0;
  for (const auto& peer : dump.peers) {
    auto entry = peers[i++];
    entry.setInterface(peer.interface);
    entry.setPublicKey(peer.public_key);
    entry.setHasPresharedKey(peer.has_preshared_key);
    entry.setEndpoint(peer.endpoint);
    entry.setAllowedIps(peer.allowed_ips);
    entry.setLastHandshake(peer.last_handshake * millis_per_second);
    entry.setReceived(peer.received);
    entry.setSent(peer.sent);
    entry.setKeepalive(peer.keepalive);
  }
}

Result<Links> read_links(Host& host) {
  RELAB_TRY(const auto text, output_of(host, {.argv = {"ip", "-json", "-details", "address"},
                                              .output_max = output_max}));
  return parse_links(text);
}

Result<std::vector<BridgeVlan>> read_bridge_vlans(Host& host) {
  RELAB_TRY(const auto text,
            output_of(host, {.argv = {"bridge", "-json", "-compressvlans", "vlan", "show"},
                             .output_max = output_max}));
  return parse_bridge_vlans(text);
}

Result<std::vector<Route>> read_routes(Host& host, const std::string& family,
                                       const std::string& option) {
  RELAB_TRY(const auto text,
            output_of(host, {.argv = {"ip", "-json", option, "route", "show", "table", "all"},
                             .output_max = output_max}));
  return parse_routes(family, text);
}

Result<std::vector<Rule>> read_rules(Host& host, const std::string& family,
                                     const std::string& option) {
  RELAB_TRY(const auto text, output_of(host, {.argv = {"ip", "-json", option, "rule"}}));
  return parse_rules(family, text);
}

/// Its standard output never gets into an error: it begins with a private key.
Result<WireguardDump> read_wireguard(Host& host) {
  RELAB_TRY(const auto output, host.run({.argv = {"wg", "show", "all", "dump"}}));
  if (output.status != 0)
    return fail(Fault::damaged,
                fmt::format("'wg show all dump' ended with {}: {}", output.status,
                            first_words({.status = output.status, .err = output.err})));
  if (output.truncated) return fail(Fault::damaged, "'wg show all dump' printed too much");
  return parse_wireguard_dump(output.out);
}

template <typename Item>
void append(Result<std::vector<Item>> items, const std::string& part, std::vector<Item>& all,
            Gaps& gaps) {
  if (items)
    all.insert(all.end(), items->begin(), items->end());
  else
    gaps.problem(part, items.error());
}

bool has_ipv6(Host& host) {
  const auto status = host.status("/proc/sys/net/ipv6");
  return status || status.error().fault != Fault::missing;
}

}  // namespace

std::vector<Interface> observe_links(Host& host, FactsBuilder facts, Gaps& gaps) {
  auto links = read_links(host);
  if (!links) {
    // Every machine has interfaces: a missing program is no absence of them.
    gaps.problem("interfaces", links.error());
    return {};
  }
  put(links->interfaces, facts);
  put(links->addresses, facts);
  return std::move(links->interfaces);
}

void observe_bridge_vlans(Host& host, const std::vector<Interface>& links, FactsBuilder facts,
                          Gaps& gaps) {
  const auto vlans = read_bridge_vlans(host);
  if (vlans) {
    put(*vlans, facts);
    return;
  }
  const bool has_none = !links.empty() && std::ranges::none_of(links, &Interface::filters_vlans);
  if (vlans.error().fault == Fault::missing && has_none)
    gaps.absent("VLANs of bridges", "no bridge here tells VLANs apart");
  else
    gaps.problem("VLANs of bridges", vlans.error());
}

void observe_routes(Host& host, FactsBuilder facts, Gaps& gaps) {
  std::vector<Route> routes;
  std::vector<Rule> rules;
  append(read_routes(host, "ip", "-4"), "IPv4 routes", routes, gaps);
  append(read_rules(host, "ip", "-4"), "IPv4 rules", rules, gaps);
  if (has_ipv6(host)) {
    append(read_routes(host, "ip6", "-6"), "IPv6 routes", routes, gaps);
    append(read_rules(host, "ip6", "-6"), "IPv6 rules", rules, gaps);
  } else {
    gaps.absent("IPv6", "IPv6 is off in this kernel");
  }
  put(routes, facts);
  put(rules, facts);
}

void observe_wireguard(Host& host, const std::vector<Interface>& links, FactsBuilder facts,
                       Gaps& gaps) {
  const auto dump = read_wireguard(host);
  if (dump) {
    put(*dump, facts);
    return;
  }
  const bool has_tunnel = std::ranges::any_of(
      links, [](const Interface& interface) { return interface.kind == "wireguard"; });
  if (dump.error().fault == Fault::missing && !has_tunnel && !links.empty())
    gaps.absent("WireGuard", dump.error().what);
  else
    gaps.problem("WireGuard", dump.error());
}

void observe_sysctls(Host& host, FactsBuilder facts, Gaps& gaps) {
  static constexpr std::array<std::string_view, 6> names = {"net/ipv4/ip_forward",
                                                            "net/ipv6/conf/all/forwarding",
                                                            "net/ipv4/conf/all/rp_filter",
                                                            "net/ipv4/conf/all/src_valid_mark",
                                                            "net/bridge/bridge-nf-call-iptables",
                                                            "net/bridge/bridge-nf-call-ip6tables"};
  auto list = facts.initSysctls(names.size());
  unsigned i = 0;
  for (const auto name : names) {
    auto entry = list[i++];
    std::string dotted(name);
    std::ranges::replace(dotted, '/', '.');
    entry.setName(dotted);
    const auto value = host.read_file(Path("/proc/sys") / name);
    if (value)
      entry.setValue(clean_text(trim(*value)));
    else if (value.error().fault != Fault::missing)
      gaps.problem(dotted, value.error());
  }
}

}  // namespace relab::agent::network
