#include "agent/kinds/network/ipv4.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/json.h"
#include "common/base/number.h"

namespace relab::agent::network {

namespace {

/// A key of a route's JSON, and the word before its value; in the order in which `ip` wants them.
struct RouteWord {
  std::string_view key;
  std::string_view word;
};
constexpr std::array route_words = {RouteWord{"gateway", "via"},    RouteWord{"table", "table"},
                                    RouteWord{"protocol", "proto"}, RouteWord{"scope", "scope"},
                                    RouteWord{"metric", "metric"},  RouteWord{"prefsrc", "src"}};

/// Whether nothing is said beyond what `words_of_route` repeats.
bool is_plain(const Json& route) {
  for (const auto& [key, unused] : route.items()) {
    const auto is_key = [&key = key](const RouteWord& word) { return word.key == key; };
    if (key != "dst" && key != "dev" && key != "flags" && key != "type" &&
        std::ranges::none_of(route_words, is_key))
      return false;
  }
  return text_of(route, "type").empty() || text_of(route, "type") == "unicast";
}

bool has_flag(const Json& route, std::string_view flag) {
  const auto& flags = member(route, "flags");
  return flags.is_array() &&
         std::ranges::any_of(flags, [flag](const Json& entry) { return text_of(entry) == flag; });
}

std::string words_of_route(const Json& route) {
  auto words = text_of(route, "dst");
  for (const auto& [key, word] : route_words)
    if (const auto value = text_of(route, key); !value.empty())
      words += fmt::format(" {} {}", word, value);
  if (has_flag(route, "onlink")) words += " onlink";
  return words;
}

/// `ip` ends with 1 for an interface that is not there.
Result<std::string> about(Host& host, const std::string& interface, std::vector<std::string> argv) {
  argv.insert(argv.end(), {"dev", interface});
  RELAB_TRY(const auto output, host.run({.argv = argv}));
  if (output.status == 1 && output.err.find("does not exist") != std::string::npos)
    return fail(Fault::missing, fmt::format("there is no network interface {}", interface));
  if (output.status == 1 && output.err.find("Cannot find device") != std::string::npos)
    return fail(Fault::missing, fmt::format("there is no network interface {}", interface));
  if (output.status != 0 || output.truncated)
    return fail(Fault::damaged, fmt::format("'{}' ended with {}: {}", fmt::join(argv, " "),
                                            output.status, first_words(output)));
  return output.out;
}

}  // namespace

bool is_ipv4_cidr(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const std::string address(text.substr(0, slash));
  const auto prefix = parse_number<unsigned>(text.substr(slash + 1));
  in_addr parsed{};
  if (::inet_pton(AF_INET, address.c_str(), &parsed) != 1 || !prefix || *prefix > 32) return false;
  std::array<char, INET_ADDRSTRLEN> written{};
  ::inet_ntop(AF_INET, &parsed, written.data(), written.size());
  return text == fmt::format("{}/{}", written.data(), *prefix);
}

Result<std::vector<Ipv4Address>> parse_ipv4(std::string_view json, std::string_view interface) {
  RELAB_TRY(const auto root, parse_json(json, "ip address"));
  if (!root.is_array()) return fail(Fault::damaged, "'ip address' printed no list");
  std::vector<Ipv4Address> addresses;
  for (const auto& entry : root) {
    // Interfaces that were asked for and filtered out come as empty objects.
    const auto name = text_of(entry, "ifname");
    if (!name.empty() && name != interface)
      return fail(Fault::damaged,
                  fmt::format("'ip address' told of {}, not of {}", name, interface));
    for (const auto& row : member(entry, "addr_info")) {
      const auto prefix = number_of(row, "prefixlen");
      if (text_of(row, "local").empty() || !prefix)
        return fail(Fault::damaged, "'ip address' printed an address that is none");
      addresses.push_back({.cidr = fmt::format("{}/{}", text_of(row, "local"), *prefix),
                           .broadcast = text_of(row, "broadcast"),
                           .label = text_of(row, "label"),
                           .scope = text_of(row, "scope"),
                           .peer = text_of(row, "address"),
                           .dynamic = truth_of(row, "dynamic")});
    }
  }
  return addresses;
}

Result<void> parse_ipv4_routes(std::string_view json, Ipv4& into) {
  RELAB_TRY(const auto root, parse_json(json, "ip route"));
  if (!root.is_array()) return fail(Fault::damaged, "'ip route' printed no list");
  for (const auto& route : root) {
    if (text_of(route, "dst").empty())
      return fail(Fault::damaged, "'ip route' printed a route to nowhere");
    if (text_of(route, "protocol") == "kernel") continue;
    (is_plain(route) ? into.routes : into.odd_routes).push_back(words_of_route(route));
  }
  return {};
}

Result<Ipv4> read_ipv4(Host& host, const std::string& interface) {
  RELAB_TRY(const auto addresses, about(host, interface, {"ip", "-json", "-4", "address", "show"}));
  RELAB_TRY(const auto routes,
            about(host, interface, {"ip", "-json", "-4", "route", "show", "table", "all"}));
  Ipv4 found;
  RELAB_TRY(found.addresses, parse_ipv4(addresses, interface));
  RELAB_CHECK(parse_ipv4_routes(routes, found));
  return found;
}

}  // namespace relab::agent::network
