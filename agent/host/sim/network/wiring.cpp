#include "agent/host/sim/network/wiring.h"

#include <algorithm>

#include "agent/host/sim/network/subnet.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Facts = schema::AuditNetwork::Facts;

network::Interface interface_of(schema::AuditNetwork::Interface::Reader told) {
  return {.name = str(told.getName()),
          .kind = str(told.getKind()),
          .mac = str(told.getMac()),
          .is_up = told.getUp(),
          .state = str(told.getState()),
          .mtu = told.getMtu(),
          .master = str(told.getMaster()),
          .parent = str(told.getParent()),
          .vlan = told.getVlan(),
          .filters_vlans = told.getVlanFiltering(),
          .mode = str(told.getMode())};
}

Wiring::Route route_of(schema::AuditNetwork::Route::Reader told) {
  Wiring::Route route{.told = {.family = str(told.getFamily()),
                               .table = str(told.getTable()),
                               .type = str(told.getType()),
                               .destination = str(told.getDestination()),
                               .gateway = str(told.getGateway()),
                               .interface = str(told.getInterface()),
                               .source = str(told.getSource()),
                               .metric = told.getMetric(),
                               .protocol = str(told.getProtocol())}};
  // No audit tells it; the kernel and `ip` both take this one for a route without a gateway.
  const bool is_direct = route.told.gateway.empty() && !route.told.interface.empty();
  if (route.told.family == "ip" && route.told.type == "unicast" && is_direct) route.scope = "link";
  return route;
}

const std::string& name_of(const Wiring::Link& link) { return link.interface.name; }

bool is_same_network(const Wiring::Address& left, const Wiring::Address& right) {
  return left.is_ipv4() && right.is_ipv4() && left.prefix == right.prefix &&
         subnet_of(left.local, left.prefix) == subnet_of(right.local, right.prefix);
}

bool has_first_of_network(const Wiring::Link& link, const Wiring::Address& address) {
  return std::ranges::any_of(link.addresses, [&](const Wiring::Address& other) {
    return !other.is_secondary && is_same_network(address, other);
  });
}

bool is_neighbour(const Wiring::Link& link, const std::vector<Wiring::Route>& routes,
                  std::string_view gateway) {
  const auto number = ipv4_number(gateway);
  return number && std::ranges::any_of(routes, [&](const Wiring::Route& route) {
           const auto subnet = subnet_of(route.told.destination);
           return route.told.interface == link.interface.name && route.scope == "link" && subnet &&
                  subnet->contains(*number);
         });
}

}  // namespace

Wiring::Wiring(Facts::Reader facts) {
  for (const auto told : facts.getInterfaces())
    links_.push_back({.interface = interface_of(told), .addresses = {}});
  for (const auto told : facts.getAddresses()) {
    auto* link = find(view(told.getInterface()));
    if (link == nullptr) continue;
    Address address{.local = str(told.getAddress()),
                    .prefix = told.getPrefix(),
                    .scope = str(told.getScope()),
                    .label = str(told.getInterface()),
                    .broadcast = {},
                    .is_dynamic = told.getDynamic()};
    address.is_secondary = has_first_of_network(*link, address);
    link->addresses.push_back(std::move(address));
  }
  for (const auto told : facts.getRoutes()) routes_.push_back(route_of(told));
  for (const auto told : facts.getRules())
    rules_.push_back({.family = str(told.getFamily()),
                      .priority = told.getPriority(),
                      .condition = str(told.getCondition()),
                      .table = str(told.getTable())});
  for (const auto told : facts.getBridgeVlans())
    bridge_vlans_.push_back({.port = str(told.getPort()),
                             .first = told.getFirst(),
                             .last = told.getLast(),
                             .is_native = told.getNative(),
                             .is_untagged = told.getUntagged()});
}

const Wiring::Link* Wiring::link(std::string_view name) const {
  const auto found = std::ranges::find(links_, name, name_of);
  return found == links_.end() ? nullptr : &*found;
}

Wiring::Link* Wiring::find(std::string_view name) {
  const auto found = std::ranges::find(links_, name, name_of);
  return found == links_.end() ? nullptr : &*found;
}

void Wiring::plug(network::Interface interface) {
  unplug(interface.name);
  links_.push_back({.interface = std::move(interface), .addresses = {}});
}

void Wiring::unplug(std::string_view name) {
  std::erase_if(links_, [&](const Link& link) { return name_of(link) == name; });
  std::erase_if(routes_, [&](const Route& route) { return route.told.interface == name; });
  std::erase_if(bridge_vlans_, [&](const network::BridgeVlan& vlan) { return vlan.port == name; });
}

bool Wiring::is_local(std::string_view address) const {
  return std::ranges::any_of(links_, [&](const Link& link) {
    return std::ranges::find(link.addresses, address, &Address::local) != link.addresses.end();
  });
}

Result<void> Wiring::add_address(std::string_view name, Address address) {
  auto* link = find(name);
  RELAB_ASSERT(link != nullptr);
  for (const auto& other : link->addresses)
    if (other.local == address.local && other.prefix == address.prefix)
      return fail(Fault::conflict, "Error: ipv4: Address already assigned.");
  address.is_secondary = has_first_of_network(*link, address);
  const auto subnet = subnet_of(address.local, address.prefix);
  if (!address.is_secondary && link->interface.is_up && subnet && subnet->prefix < 32)
    routes_.push_back({.told = {.family = "ip",
                                .table = "main",
                                .type = "unicast",
                                .destination = subnet->text(),
                                .gateway = {},
                                .interface = link->interface.name,
                                .source = address.local,
                                .metric = 0,
                                .protocol = "kernel"},
                       .scope = "link"});
  // The kernel keeps the first ones of all networks before the others, and IPv6 behind them.
  const auto at = std::ranges::find_if(link->addresses, [&](const Address& other) {
    return !other.is_ipv4() || (other.is_secondary && !address.is_secondary);
  });
  link->addresses.insert(at, std::move(address));
  return {};
}

Result<void> Wiring::remove_address(std::string_view name, std::string_view local,
                                    std::uint8_t prefix) {
  auto* link = find(name);
  RELAB_ASSERT(link != nullptr);
  const auto found = std::ranges::find_if(link->addresses, [&](const Address& address) {
    return address.local == local && address.prefix == prefix;
  });
  if (found == link->addresses.end())
    return fail(Fault::missing, "Error: ipv4: Address not found.");
  // As long as net.ipv4.conf.*.promote_secondaries is off, which is where Debian leaves it.
  const auto wanted = *found;
  std::vector<Address> gone;
  std::erase_if(link->addresses, [&](const Address& address) {
    const bool goes = address == wanted || (!wanted.is_secondary && address.is_secondary &&
                                            is_same_network(address, wanted));
    if (goes) gone.push_back(address);
    return goes;
  });
  drop_routes(*link, gone);
  return {};
}

void Wiring::drop_routes(const Link& link, const std::vector<Address>& gone) {
  const bool has_any = std::ranges::any_of(link.addresses, &Address::is_ipv4);
  std::erase_if(routes_, [&](const Route& route) {
    if (route.told.family != "ip") return false;
    if (route.told.interface == link.interface.name && !has_any) return true;
    return std::ranges::any_of(gone, [&](const Address& address) {
      return route.told.source == address.local && !is_local(address.local);
    });
  });
}

Result<void> Wiring::replace_route(Route route) {
  const auto* over = link(route.told.interface);
  RELAB_ASSERT(over != nullptr);
  if (!route.told.source.empty() && !is_local(route.told.source))
    return fail(Fault::invalid, "Error: Invalid prefsrc address.");
  if (!route.told.gateway.empty() && !route.is_onlink &&
      (!over->interface.is_up || !is_neighbour(*over, routes_, route.told.gateway)))
    return fail(Fault::invalid, "Error: Nexthop has invalid gateway.");
  if (!over->interface.is_up) return fail(Fault::invalid, "Error: Device for nexthop is not up.");
  if (route.told.gateway.empty() && route.scope.empty()) route.scope = "link";
  const auto same = std::ranges::find_if(routes_, [&](const Route& other) {
    return other.told.family == route.told.family && other.told.table == route.told.table &&
           other.told.destination == route.told.destination &&
           other.told.metric == route.told.metric;
  });
  if (same == routes_.end())
    routes_.push_back(std::move(route));
  else
    *same = std::move(route);
  return {};
}

}  // namespace relab::agent::sim
