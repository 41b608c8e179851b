#pragma once

/// What the kernel of a simulated machine knows of its network, and what it does to the rest when
/// an address comes or goes.

#include <string>
#include <string_view>
#include <vector>

#include "agent/kinds/network/links.h"
#include "common/base/result.h"
#include "schema/network.capnp.h"

namespace relab::agent::sim {

class Wiring {
 public:
  struct Address {
    std::string local = {};
    std::uint8_t prefix = 0;
    std::string scope = "global";
    std::string label = {};
    std::string broadcast = {};
    bool is_dynamic = false;
    /// Not the first one of its network: it goes when that one goes.
    bool is_secondary = false;

    bool is_ipv4() const { return local.find(':') == std::string::npos; }
    bool operator==(const Address&) const = default;
  };
  struct Link {
    network::Interface interface = {};
    std::vector<Address> addresses = {};

    bool operator==(const Link&) const = default;
  };
  struct Route {
    network::Route told = {};
    /// "link", "host"; empty: anywhere.
    std::string scope = {};
    /// The gateway is taken for a neighbour, whatever the addresses say.
    bool is_onlink = false;

    bool operator==(const Route&) const = default;
  };

  /// Of a machine without any interface.
  Wiring() = default;
  explicit Wiring(schema::AuditNetwork::Facts::Reader facts);

  const std::vector<Link>& links() const { return links_; }
  const Link* link(std::string_view name) const;
  const std::vector<Route>& routes() const { return routes_; }
  const std::vector<network::Rule>& rules() const { return rules_; }
  const std::vector<network::BridgeVlan>& bridge_vlans() const { return bridge_vlans_; }

  /// A cable that is plugged in: the veth of a guest that starts. Of several by one name, the last.
  void plug(network::Interface interface);
  void unplug(std::string_view name);

  /// Each of these fails with the words of the kernel, and leaves all as it was then. The interface
  /// of that name must be there.
  Result<void> add_address(std::string_view name, Address address);
  /// With the first address of a network its other ones go, with the last address all routes.
  Result<void> remove_address(std::string_view name, std::string_view local, std::uint8_t prefix);
  Result<void> replace_route(Route route);

 private:
  Link* find(std::string_view name);
  /// Takes out the routes that go when these addresses are gone.
  void drop_routes(const Link& link, const std::vector<Address>& gone);
  bool is_local(std::string_view address) const;

  std::vector<Link> links_;
  std::vector<Route> routes_;
  std::vector<network::Rule> rules_;
  std::vector<network::BridgeVlan> bridge_vlans_;
};

}  // namespace relab::agent::sim
