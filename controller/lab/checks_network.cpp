// The address plan: VLANs in the supernet, machines in their VLANs, nothing twice.

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <vector>

#include "common/base/number.h"
#include "common/wire/message.h"
#include "controller/lab/address.h"
#include "controller/lab/checks.h"

namespace relab::lab {

namespace {

using schema::Lab;

/// A host or guest, as far as addresses go.
struct Machine {
  std::string path;
  std::string name;
  std::string vlan;
  std::string ip;
  std::string agent;
};

template <typename List>
void add_machines(std::vector<Machine>& machines, List list, const std::string& at,
                  const Findings& findings) {
  for (unsigned i = 0; i < list.size(); ++i)
    machines.push_back({.path = findings.element_path(at, i),
                        .name = str(list[i].getName()),
                        .vlan = str(list[i].getVlan()),
                        .ip = str(list[i].getIp()),
                        .agent = str(list[i].getAgent())});
}

std::vector<Machine> machines_of(Lab::Reader lab, const Findings& findings) {
  std::vector<Machine> machines;
  add_machines(machines, lab.getHosts(), "hosts", findings);
  add_machines(machines, lab.getGuests(), "guests", findings);
  return machines;
}

/// A VLAN with a subnet that can be read.
struct Net {
  std::string path;
  std::string name;
  unsigned id;
  Subnet subnet;
  std::string gateway;
};

std::vector<Net> nets_of(Lab::Reader lab, const Findings& findings) {
  std::vector<Net> nets;
  const auto vlans = lab.getNetwork().getVlans();
  for (unsigned i = 0; i < vlans.size(); ++i)
    if (const auto subnet = parse_subnet(view(vlans[i].getSubnet())))
      nets.push_back({.path = findings.element_path("network.vlans", i),
                      .name = str(vlans[i].getName()),
                      .id = vlans[i].getId(),
                      .subnet = *subnet,
                      .gateway = str(vlans[i].getGateway())});
  return nets;
}

/// Reports what is no subnet, or has bits behind its prefix; empty text was reported before.
void check_subnet(const std::string& path, std::string_view text, Findings& findings) {
  if (text.empty()) return;
  const auto subnet = parse_subnet(text);
  if (!subnet) {
    findings.report(path, fmt::format("{} is no IPv4 subnet", in_quotes(text)),
                    "four numbers up to 255, a slash, a prefix up to 32");
  } else if (subnet->text() != text) {
    findings.report(path, fmt::format("{} has bits set behind its prefix", text),
                    fmt::format("did you mean '{}'?", subnet->text()));
  }
}

void subnets_are_subnets(Lab::Reader lab, Findings& findings) {
  const auto network = lab.getNetwork();
  check_subnet("network.supernet", view(network.getSupernet()), findings);
  for (unsigned i = 0; i < network.getVlans().size(); ++i)
    check_subnet(findings.element_path("network.vlans", i) + ".subnet",
                 view(network.getVlans()[i].getSubnet()), findings);
  for (unsigned i = 0; i < network.getTunnels().size(); ++i)
    check_subnet(findings.element_path("network.tunnels", i) + ".subnet",
                 view(network.getTunnels()[i].getSubnet()), findings);
}

void vlan_ids_are_unique(Lab::Reader lab, Findings& findings) {
  std::map<unsigned, std::string> taken;
  const auto vlans = lab.getNetwork().getVlans();
  for (unsigned i = 0; i < vlans.size(); ++i) {
    const auto path = findings.element_path("network.vlans", i);
    if (vlans[i].getId() == 0) continue;
    const auto [first, is_new] = taken.emplace(vlans[i].getId(), str(vlans[i].getName()));
    if (!is_new)
      findings.report(path + ".id", fmt::format("VLAN id {} is that of '{}' too", vlans[i].getId(),
                                                first->second));
  }
}

void vlan_ids_are_third_octets(Lab::Reader lab, Findings& findings) {
  for (const auto& net : nets_of(lab, findings)) {
    const auto octet = net.subnet.base.bits >> 8U & 255U;
    if (net.id == 0 || net.id == octet) continue;
    findings.report(
        net.path + ".id",
        fmt::format("VLAN id {} is not the third octet of {}", net.id, net.subnet.text()),
        "give both the same number, so that an address tells its VLAN");
  }
}

void vlans_are_in_the_supernet(Lab::Reader lab, Findings& findings) {
  const auto supernet = parse_subnet(view(lab.getNetwork().getSupernet()));
  if (!supernet) return;
  for (const auto& net : nets_of(lab, findings))
    if (!supernet->contains(net.subnet))
      findings.report(net.path + ".subnet", fmt::format("{} is not inside the supernet {}",
                                                        net.subnet.text(), supernet->text()));
}

void subnets_do_not_overlap(Lab::Reader lab, Findings& findings) {
  auto nets = nets_of(lab, findings);
  const auto tunnels = lab.getNetwork().getTunnels();
  for (unsigned i = 0; i < tunnels.size(); ++i)
    if (const auto subnet = parse_subnet(view(tunnels[i].getSubnet())))
      nets.push_back({.path = findings.element_path("network.tunnels", i),
                      .name = str(tunnels[i].getName()),
                      .id = 0,
                      .subnet = *subnet,
                      .gateway = {}});
  for (auto net = nets.begin(); net != nets.end(); ++net)
    for (auto other = nets.begin(); other != net; ++other)
      if (net->subnet.overlaps(other->subnet))
        findings.report(net->path + ".subnet",
                        fmt::format("{} overlaps {} of '{}'", net->subnet.text(),
                                    other->subnet.text(), other->name));
}

/// An address that a machine in this subnet can have; reports why not.
bool check_member(const std::string& path, std::string_view text, const Subnet& subnet,
                  Findings& findings) {
  if (text.empty()) return false;
  const auto address = parse_ipv4(text);
  if (!address) {
    findings.report(path, fmt::format("{} is no IPv4 address", in_quotes(text)),
                    "four numbers up to 255, without leading zeros");
    return false;
  }
  const auto* why = "";
  if (!subnet.contains(*address)) why = "is not inside";
  // Subnets of one or two addresses have neither of them.
  if (subnet.prefix < 31 && *address == subnet.base) why = "is the network address of";
  if (subnet.prefix < 31 && *address == subnet.broadcast()) why = "is the broadcast address of";
  if (*why == '\0') return true;
  findings.report(path, fmt::format("{} {} {}", text, why, subnet.text()));
  return false;
}

void gateways_are_in_their_subnets(Lab::Reader lab, Findings& findings) {
  for (const auto& net : nets_of(lab, findings))
    check_member(net.path + ".gateway", net.gateway, net.subnet, findings);
}

void machines_are_in_their_vlans(Lab::Reader lab, Findings& findings) {
  const auto nets = nets_of(lab, findings);
  for (const auto& machine : machines_of(lab, findings)) {
    const auto net = std::ranges::find(nets, machine.vlan, &Net::name);
    if (net == nets.end()) {
      // The VLAN is unknown, but the address can still be none at all.
      check_member(machine.path + ".ip", machine.ip, {}, findings);
      continue;
    }
    if (!check_member(machine.path + ".ip", machine.ip, net->subnet, findings)) continue;
    if (machine.ip == net->gateway)
      findings.report(machine.path + ".ip",
                      fmt::format("{} is the gateway of VLAN '{}'", machine.ip, net->name));
  }
}

void addresses_are_unique(Lab::Reader lab, Findings& findings) {
  std::map<std::string, std::string> taken;
  for (const auto& machine : machines_of(lab, findings)) {
    if (machine.ip.empty()) continue;
    const auto [first, is_new] = taken.emplace(machine.ip, machine.name);
    if (!is_new)
      findings.report(machine.path + ".ip",
                      fmt::format("{} is the address of '{}' too", machine.ip, first->second));
  }
}

void tunnel_ends_are_in_their_subnets(Lab::Reader lab, Findings& findings) {
  const auto tunnels = lab.getNetwork().getTunnels();
  for (unsigned i = 0; i < tunnels.size(); ++i) {
    const auto path = findings.element_path("network.tunnels", i);
    const auto subnet = parse_subnet(view(tunnels[i].getSubnet()));
    if (!subnet) continue;
    const auto spoke = str(tunnels[i].getSpokeIp());
    check_member(path + ".spoke_ip", spoke, *subnet, findings);
    check_member(path + ".hub_ip", view(tunnels[i].getHubIp()), *subnet, findings);
    if (!spoke.empty() && view(tunnels[i].getHubIp()) == spoke)
      findings.report(path + ".hub_ip", fmt::format("{} is the spoke's address too", spoke));
  }
}

void agents_have_ports(Lab::Reader lab, Findings& findings) {
  std::map<std::string, std::string> taken;
  for (const auto& machine : machines_of(lab, findings)) {
    if (machine.agent.empty()) continue;
    // The first colon is the one of "tcp://".
    const auto colon = machine.agent.find(':', 4);
    const auto port = colon == std::string::npos ? "1" : machine.agent.substr(colon + 1);
    if (const auto number = parse_number<std::uint16_t>(port); !number || *number == 0)
      findings.report(machine.path + ".agent", fmt::format("port {} is out of range", port),
                      "from 1 to 65535");
    const auto [first, is_new] = taken.emplace(machine.agent, machine.name);
    if (!is_new)
      findings.report(machine.path + ".agent", fmt::format("{} is where the agent of '{}' is",
                                                           machine.agent, first->second));
  }
}

constexpr Check checks[] = {
    {"every subnet is one", subnets_are_subnets},
    {"no two VLANs have one id", vlan_ids_are_unique},
    {"a VLAN's id is the third octet of its subnet", vlan_ids_are_third_octets},
    {"every VLAN is inside the supernet", vlans_are_in_the_supernet},
    {"no subnets overlap", subnets_do_not_overlap},
    {"a gateway is inside its subnet", gateways_are_in_their_subnets},
    {"a machine's address is inside its VLAN", machines_are_in_their_vlans},
    {"no two machines have one address", addresses_are_unique},
    {"both ends of a tunnel are inside its subnet", tunnel_ends_are_in_their_subnets},
    {"agents have ports, and none is another's", agents_have_ports},
};

}  // namespace

std::span<const Check> network_checks() { return checks; }

}  // namespace relab::lab
