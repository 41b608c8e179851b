#include <array>
#include <fmt/format.h>

#include "common/wire/message.h"
#include "controller/rehearsal/world/described.h"

namespace relab::rehearsal {

namespace {

using Network = schema::AuditNetwork;

constexpr auto card = "eno1";

struct Link {
  std::string name;
  std::string kind;
  std::string mac;
  std::string master;
  bool filters = false;
  bool guest = false;
  /// Of one that sits on the bridge; 0: it is no VLAN.
  std::uint16_t vlan = 0;
};

/// The interface with the machine's own address: its VLAN on the bridge.
std::string own_interface(const Described& described) {
  return fmt::format("{}.{}", str(described.host.getBridge()),
                     described.vlan(view(described.host.getVlan())).getId());
}

/// What `ip link` shows of the machine: its card, the bridge on it, and a cable for each guest.
std::vector<Link> links_of(const Described& described) {
  const auto bridge = str(described.host.getBridge());
  const auto mac = described.host.getMac().size() == 0
                       ? mac_of("card of " + str(described.host.getName()))
                       : str(described.host.getMac());
  std::vector<Link> links{{"lo", "", "00:00:00:00:00:00", ""},
                          {card, "", mac, bridge},
                          {bridge, "bridge", mac, "", true},
                          {own_interface(described), "vlan", mac, "", false, false,
                           described.vlan(view(described.host.getVlan())).getId()}};
  for (const auto guest : described.guests)
    links.push_back({Described::cable(guest), Described::is_container(guest) ? "veth" : "tun",
                     mac_of(fmt::format("cable of {}", guest.getVmid())), bridge, false, true});
  return links;
}

void write_interfaces(const Described& described, Network::Facts::Builder facts) {
  const auto links = links_of(described);
  auto list = facts.initInterfaces(static_cast<unsigned>(links.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    const auto& link = links[i];
    const bool loopback = link.name == "lo";
    list[i].setName(link.name);
    list[i].setKind(link.kind);
    list[i].setMac(link.mac);
    list[i].setUp(true);
    list[i].setState(loopback ? "UNKNOWN" : "UP");
    list[i].setMtu(loopback ? 65536 : 1500);
    list[i].setMaster(link.master);
    list[i].setVlanFiltering(link.filters);
    list[i].setGuest(link.guest);
    list[i].setVlan(link.vlan);
    if (link.vlan != 0) list[i].setParent(described.host.getBridge());
  }
}

void write_vlans(const Described& described, Network::Facts::Builder facts) {
  struct Row {
    std::string port;
    std::uint16_t first;
    std::uint16_t last;
    bool native;
  };
  const auto bridge = str(described.host.getBridge());
  std::vector<Row> rows{{card, 1, 1, true},
                        {card, 2, 4094, false},
                        {bridge, 1, 1, true},
                        {bridge, described.vlan(view(described.host.getVlan())).getId(),
                         described.vlan(view(described.host.getVlan())).getId(), false}};
  for (const auto guest : described.guests) {
    const auto vlan = described.vlan(view(guest.getVlan()));
    rows.push_back({Described::cable(guest), vlan.getId(), vlan.getId(), true});
  }
  auto list = facts.initBridgeVlans(static_cast<unsigned>(rows.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    list[i].setPort(rows[i].port);
    list[i].setFirst(rows[i].first);
    list[i].setLast(rows[i].last);
    list[i].setNative(rows[i].native);
    list[i].setUntagged(rows[i].native);
  }
}

void write_addresses(const Described& described, Network::Facts::Builder facts) {
  const auto bridge = str(described.host.getBridge());
  const auto vlan = described.vlan(view(described.host.getVlan()));
  const auto subnet = str(vlan.getSubnet());
  const auto prefix = Described::prefix(vlan);
  const auto own = own_interface(described);
  auto addresses = facts.initAddresses(2);
  addresses[0].setInterface("lo");
  addresses[0].setAddress("127.0.0.1");
  addresses[0].setPrefix(8);
  addresses[0].setScope("host");
  addresses[1].setInterface(own);
  addresses[1].setAddress(described.host.getIp());
  addresses[1].setPrefix(static_cast<std::uint8_t>(prefix));
  addresses[1].setScope("global");
  auto routes = facts.initRoutes(2);
  routes[0].setDestination("default");
  routes[0].setGateway(vlan.getGateway());
  routes[0].setProtocol("static");
  routes[1].setDestination(subnet);
  routes[1].setSource(described.host.getIp());
  routes[1].setProtocol("kernel");
  for (auto route : routes) {
    route.setFamily("ip");
    route.setTable("main");
    route.setType("unicast");
    route.setInterface(own);
  }
  auto configured = facts.initConfigured(4);
  const std::array<std::string, 4> names{"lo", card, bridge, own};
  constexpr std::array methods{"loopback", "manual", "manual", "static"};
  for (unsigned i = 0; i < configured.size(); ++i) {
    configured[i].setFile("/etc/network/interfaces");
    configured[i].setName(names.at(i));
    configured[i].setFamily("inet");
    configured[i].setMethod(methods.at(i));
    if (i != 1) configured[i].setStart("auto");
  }
  configured[3].setAddress(fmt::format("{}/{}", str(described.host.getIp()), prefix));
  configured[3].setGateway(vlan.getGateway());
  configured[2].setBridgePorts(card);
  configured[2].setVlanAware("yes");
  configured[2].setBridgeVids("2-4094");
  auto nameservers = facts.initNameservers(1);
  nameservers[0].setAddress(vlan.getGateway());
  nameservers[0].setFile("/etc/resolv.conf");
}

}  // namespace

void describe_network(const Described& described, schema::World::Builder world) {
  auto facts = world.initNetwork();
  write_interfaces(described, facts);
  write_vlans(described, facts);
  write_addresses(described, facts);
  const auto name = str(described.host.getName());
  facts.setHostname(name);
  auto hosts = facts.initHosts(2);
  hosts[0].setAddress("127.0.0.1");
  hosts[0].setNames("localhost.localdomain localhost");
  hosts[1].setAddress(described.host.getIp());
  hosts[1].setNames(described.lab.getDomain().size() == 0
                        ? name
                        : fmt::format("{}.{} {}", name, str(described.lab.getDomain()), name));
  auto own = facts.initOwnAddresses(1);
  own.set(0, described.host.getIp());
  constexpr std::array sysctls{"net.ipv4.ip_forward",
                               "net.ipv6.conf.all.forwarding",
                               "net.ipv4.conf.all.rp_filter",
                               "net.ipv4.conf.all.src_valid_mark",
                               "net.bridge.bridge-nf-call-iptables",
                               "net.bridge.bridge-nf-call-ip6tables"};
  auto values = facts.initSysctls(static_cast<unsigned>(sysctls.size()));
  for (unsigned i = 0; i < values.size(); ++i) values[i].setName(sysctls.at(i));
  values[0].setValue("1");
  auto parts = facts.initCoverage().initParts(1);
  parts[0].setPart("ufw");
  parts[0].setWhy("no ufw on this machine");
  facts.setProxmoxFirewall("disabled/running");
}

}  // namespace relab::rehearsal
