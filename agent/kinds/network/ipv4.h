#pragma once

/// What one interface has of IPv4 at this moment, in the words that `ip` takes.

#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent::network {

struct Ipv4Address {
  /// "10.42.10.2/24"
  std::string cidr;
  std::string broadcast = {};
  std::string label = {};
  std::string scope = {};
  std::string peer = {};
  /// Leased.
  bool dynamic = false;

  bool operator==(const Ipv4Address&) const = default;
};

struct Ipv4 {
  std::vector<Ipv4Address> addresses = {};
  /// Those that the kernel did not make by itself, as `ip route add` takes them.
  std::vector<std::string> routes = {};
  /// Those that would not come back as they were.
  std::vector<std::string> odd_routes = {};
};

/// Of `ip -json -4 address show dev X`. Fault::damaged if it is anything else.
Result<std::vector<Ipv4Address>> parse_ipv4(std::string_view json, std::string_view interface);
/// Of `ip -json -4 route show table all dev X`, into the two lists of routes.
Result<void> parse_ipv4_routes(std::string_view json, Ipv4& into);

/// Two runs of `ip`. Fault::missing if there is no such interface.
Result<Ipv4> read_ipv4(Host& host, const std::string& interface);

/// An IPv4 address with a prefix, written in the one way in which `ip` writes it.
bool is_ipv4_cidr(std::string_view text);

}  // namespace relab::agent::network
