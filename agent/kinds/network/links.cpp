#include "agent/kinds/network/links.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <limits>

#include "agent/kinds/support/json.h"

namespace relab::agent::network {

namespace {

/// The JSON list in a text, each element with a text or number under `key`.
Result<Json> list_of(std::string_view text, std::string_view what, std::string_view key) {
  RELAB_TRY(auto json, parse_json(text, what));
  if (!json.is_array()) return fail(Fault::damaged, fmt::format("{} printed no list", what));
  for (const auto& entry : json)
    if (text_of(entry, key).empty())
      return fail(Fault::damaged, fmt::format("{} printed an entry without '{}'", what, key));
  return json;
}

template <typename Number>
Number bounded(const Json& object, std::string_view key) {
  const auto number = number_of(object, key).value_or(0);
  return number > std::numeric_limits<Number>::max() ? Number{0} : static_cast<Number>(number);
}

bool has_flag(const Json& object, std::string_view flag) {
  const auto& flags = member(object, "flags");
  return flags.is_array() && std::ranges::any_of(flags, [flag](const Json& entry) {
           return entry.is_string() && entry.get_ref<const std::string&>() == flag;
         });
}

Interface interface_of(const Json& entry) {
  const auto& info = member(entry, "linkinfo");
  const auto& data = member(info, "info_data");
  Interface interface { .name = text_of(entry, "ifname"), .kind = text_of(info, "info_kind") };
  interface.mac = text_of(entry, "address");
  interface.is_up = has_flag(entry, "UP");
  interface.state = text_of(entry, "operstate");
  interface.mtu = bounded<std::uint32_t>(entry, "mtu");
  interface.master = text_of(entry, "master");
  if (interface.kind == "vlan") {
    interface.parent = text_of(entry, "link");
    interface.vlan = bounded<std::uint16_t>(data, "id");
  }
  interface.filters_vlans = interface.kind == "bridge" && truth_of(data, "vlan_filtering");
  if (interface.kind == "bond") interface.mode = text_of(data, "mode");
  return interface;
}

void add_addresses(const Json& entry, std::vector<Address>& addresses) {
  const auto& list = member(entry, "addr_info");
  if (!list.is_array()) return;
  for (const auto& address : list) {
    // A deleted interface's remains come as empty objects.
    if (text_of(address, "local").empty()) continue;
    addresses.push_back({.interface = text_of(entry, "ifname"),
                         .address = text_of(address, "local"),
                         .prefix = bounded<std::uint8_t>(address, "prefixlen"),
                         .scope = text_of(address, "scope"),
                         .is_dynamic = truth_of(address, "dynamic")});
  }
}

std::string or_else(std::string text, std::string_view otherwise) {
  return text.empty() ? std::string(otherwise) : text;
}

Route route_of(std::string_view family, const Json& entry, const Json& hop) {
  Route route{.family = std::string(family)};
  route.table = or_else(text_of(entry, "table"), "main");
  route.type = or_else(text_of(entry, "type"), "unicast");
  route.destination = text_of(entry, "dst");
  route.gateway = text_of(hop, "gateway");
  // A gateway of the other family has a member of its own.
  if (route.gateway.empty()) route.gateway = text_of(member(hop, "via"), "host");
  route.interface = text_of(hop, "dev");
  route.source = text_of(entry, "prefsrc");
  route.metric = bounded<std::uint32_t>(entry, "metric");
  route.protocol = text_of(entry, "protocol");
  return route;
}

/// The kernel's own entries for its own addresses and for multicast.
bool is_local(const Json& entry) {
  const auto type = text_of(entry, "type");
  return text_of(entry, "table") == "local" || type == "local" || type == "multicast";
}

}  // namespace

Result<Links> parse_links(std::string_view text) {
  RELAB_TRY(auto json, parse_json(text, "ip address"));
  if (!json.is_array() || json.empty())
    return fail(Fault::damaged, "ip address printed no interface");
  Links links;
  for (const auto& entry : json) {
    // Older releases print empty objects for what the filter left out.
    if (entry.is_object() && entry.empty()) continue;
    if (text_of(entry, "ifname").empty())
      return fail(Fault::damaged, "ip address printed an entry without 'ifname'");
    links.interfaces.push_back(interface_of(entry));
    add_addresses(entry, links.addresses);
  }
  return links;
}

bool is_guests(std::string_view name) {
  static constexpr std::array<std::string_view, 5> prefixes = {"veth", "tap", "fwbr", "fwpr",
                                                               "fwln"};
  return std::ranges::any_of(prefixes, [name](std::string_view prefix) {
    return name.starts_with(prefix) && name.size() > prefix.size() &&
           std::isdigit(static_cast<unsigned char>(name[prefix.size()])) != 0;
  });
}

Result<std::vector<BridgeVlan>> parse_bridge_vlans(std::string_view text) {
  RELAB_TRY(const auto json, list_of(text, "bridge vlan", "ifname"));
  std::vector<BridgeVlan> all;
  for (const auto& port : json) {
    const auto& vlans = member(port, "vlans");
    if (!vlans.is_array()) continue;
    for (const auto& entry : vlans) {
      const auto first = bounded<std::uint16_t>(entry, "vlan");
      if (first == 0) return fail(Fault::damaged, "bridge vlan printed a VLAN without a number");
      const auto last = bounded<std::uint16_t>(entry, "vlanEnd");
      all.push_back({.port = text_of(port, "ifname"),
                     .first = first,
                     .last = last == 0 ? first : last,
                     .is_native = has_flag(entry, "PVID"),
                     .is_untagged = has_flag(entry, "Egress Untagged")});
    }
  }
  return all;
}

Result<std::vector<Route>> parse_routes(std::string_view family, std::string_view text) {
  RELAB_TRY(const auto json, list_of(text, "ip route", "dst"));
  std::vector<Route> routes;
  for (const auto& entry : json) {
    if (is_local(entry)) continue;
    const auto& hops = member(entry, "nexthops");
    if (!hops.is_array() || hops.empty()) {
      routes.push_back(route_of(family, entry, entry));
      continue;
    }
    for (const auto& hop : hops) routes.push_back(route_of(family, entry, hop));
  }
  return routes;
}

Result<std::vector<Rule>> parse_rules(std::string_view family, std::string_view text) {
  RELAB_TRY(const auto json, list_of(text, "ip rule", "priority"));
  std::vector<Rule> rules;
  for (const auto& entry : json) {
    Rule rule{.family = std::string(family), .priority = bounded<std::uint32_t>(entry, "priority")};
    rule.table = text_of(entry, "table");
    for (const auto& [key, value] : entry.items()) {
      if (key == "priority" || key == "table") continue;
      if (!rule.condition.empty()) rule.condition += ' ';
      const auto shown = text_of(value);
      rule.condition += shown.empty() ? key : fmt::format("{} {}", key, shown);
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace relab::agent::network
