#pragma once

/// The program `ip` of a simulated machine: addresses and routes of its interfaces, with the
/// kernel's habit of dropping more than it was told to.

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <string>
#include <vector>

#include "agent/host/sim/sim_host.h"

namespace relab::agent {

class SimIp {
 public:
  struct Address {
    std::string cidr;
    std::string broadcast = {};
    std::string peer = {};
    bool dynamic = false;
    bool operator==(const Address&) const = default;
  };
  struct Interface {
    std::vector<Address> addresses = {};
    /// As `ip route` prints them.
    std::vector<std::string> routes = {};
    bool operator==(const Interface&) const = default;
  };

  std::map<std::string, Interface> interfaces;
  /// Addresses that the kernel refuses.
  std::vector<std::string> refused = {};

  SimHost::Program program() {
    return [this](const Command& command) { return Result<Output>(run(command.argv)); };
  }

 private:
  using Argv = std::vector<std::string>;

  Output run(const Argv& argv) {
    const auto found = interfaces.find(argv.back());
    if (found == interfaces.end())
      return {.status = 1, .err = "Device \"" + argv.back() + "\" does not exist.\n"};
    auto& interface = found->second;
    if (argv[1] == "-json")
      return {.out = argv[3] == "address" ? addresses(argv.back(), interface) : routes(interface)};
    if (argv[2] == "route") return replace_route(interface, argv);
    return argv[3] == "add" ? add(interface, argv) : remove(interface, argv[4]);
  }

  static std::string addresses(const std::string& name, const Interface& interface) {
    std::string rows;
    for (const auto& address : interface.addresses) {
      const auto slash = address.cidr.find('/');
      rows += fmt::format(
          R"({}{{"family":"inet","local":"{}","prefixlen":{}{}{}{},"scope":"global","label":"{}"}})",
          rows.empty() ? "" : ",", address.cidr.substr(0, slash), address.cidr.substr(slash + 1),
          address.broadcast.empty() ? "" : R"(,"broadcast":")" + address.broadcast + "\"",
          address.peer.empty() ? "" : R"(,"address":")" + address.peer + "\"",
          address.dynamic ? R"(,"dynamic":true)" : "", name);
    }
    return fmt::format(R"([{{}},{{"ifname":"{}","addr_info":[{}]}}])", name, rows);
  }

  static std::string routes(const Interface& interface) {
    std::string rows = R"({"dst":"10.0.0.0/24","protocol":"kernel","scope":"link","flags":[]})";
    for (const auto& route : interface.routes) rows += "," + route;
    return "[" + rows + "]";
  }

  Output add(Interface& interface, const Argv& argv) const {
    const auto& cidr = argv[4];
    if (std::ranges::find(refused, cidr) != refused.end())
      return {.status = 2, .err = "RTNETLINK answers: Operation not permitted\n"};
    if (std::ranges::find(interface.addresses, cidr, &Address::cidr) != interface.addresses.end())
      return {.status = 2, .err = "RTNETLINK answers: File exists\n"};
    Address address{.cidr = cidr};
    const auto option = std::ranges::find(argv, "broadcast");
    if (option != argv.end()) address.broadcast = *std::next(option);
    interface.addresses.push_back(address);
    return {};
  }

  /// Of one subnet, the first is primary: without promote_secondaries the others go with it.
  static Output remove(Interface& interface, const std::string& cidr) {
    const auto at = std::ranges::find(interface.addresses, cidr, &Address::cidr);
    if (at == interface.addresses.end())
      return {.status = 2, .err = "RTNETLINK answers: Cannot assign requested address\n"};
    const auto subnet = cidr.substr(0, cidr.rfind('.'));
    const auto first = std::ranges::find_if(
        interface.addresses, [&](const Address& a) { return a.cidr.starts_with(subnet + "."); });
    const bool primary = first == at;
    std::erase_if(interface.addresses, [&](const Address& address) {
      return address.cidr == cidr || (primary && address.cidr.starts_with(subnet + "."));
    });
    if (interface.addresses.empty()) interface.routes.clear();
    return {};
  }

  static Output replace_route(Interface& interface, const Argv& argv) {
    const auto via = std::ranges::find(argv, "via");
    if (interface.addresses.empty())
      return {.status = 2, .err = "Error: Nexthop has invalid gateway.\n"};
    interface.routes.push_back(
        via == argv.end()
            ? fmt::format(R"({{"dst":"{}","flags":[]}})", argv[4])
            : fmt::format(R"({{"dst":"{}","gateway":"{}","flags":[]}})", argv[4], *std::next(via)));
    return {};
  }
};

}  // namespace relab::agent
