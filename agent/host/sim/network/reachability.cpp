#include "agent/host/sim/network/reachability.h"

#include <algorithm>
#include <utility>

#include "agent/host/sim/network/curl_program.h"
#include "agent/host/sim/network/dig_program.h"
#include "agent/host/sim/network/subnet.h"
#include "common/base/number.h"
#include "common/base/text.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Attachments = std::vector<Attachment>;

Attachments attachments_of(const SimMachine& machine) {
  return machine.attachments ? machine.attachments() : Attachments();
}

/// Whether an address is on the same cable, as the sender's own prefix has it.
bool is_neighbour(const Attachment& from, const std::string& address) {
  const auto subnet = subnet_of(from.address, from.prefix);
  const auto number = ipv4_number(address);
  return subnet && number && subnet->contains(*number);
}

bool is_loopback(const std::string& address) {
  return address == "::1" || address.starts_with("127.");
}

/// The machine's own addresses as they are at this moment.
Attachments attachments_of(const Wiring& wiring) {
  Attachments attachments;
  for (const auto& link : wiring.links())
    for (const auto& address : link.addresses) {
      if (!address.is_ipv4() || !link.interface.is_up || is_loopback(address.local)) continue;
      Attachment attachment{
          .address = address.local, .prefix = address.prefix, .vlan = link.interface.vlan};
      for (const auto& route : wiring.routes())
        if (route.told.family == "ip" && route.told.destination == "default" &&
            route.told.table == "main" && route.told.interface == link.interface.name)
          attachment.gateway = route.told.gateway;
      attachments.push_back(std::move(attachment));
    }
  return attachments;
}

std::optional<Attachment> attachment_of(std::string_view cidr, std::uint16_t vlan,
                                        std::string_view gateway) {
  const auto subnet = subnet_of(cidr);
  if (!subnet) return {};
  return Attachment{.address = std::string(cidr.substr(0, cidr.find('/'))),
                    .prefix = subnet->prefix,
                    .vlan = vlan,
                    .gateway = std::string(gateway)};
}

Attachments attachments_of(schema::AuditGuests::Facts::Reader facts, std::uint32_t vmid) {
  Attachments attachments;
  for (const auto told : facts.getNetworks())
    if (told.getVmid() == vmid && !told.getLinkDown())
      if (auto attachment =
              attachment_of(view(told.getIp()), told.getTag(), view(told.getGateway())))
        attachments.push_back(*std::move(attachment));
  return attachments;
}

std::string_view words_of(Reach reach) {
  switch (reach) {
    case Reach::open:
      return "connected";
    case Reach::refused:
      return "Connection refused";
    case Reach::silent:
      return "Connection timed out";
    case Reach::unreachable:
      return "No route to host";
    case Reach::no_network:
      return "Network is unreachable";
  }
  return {};
}

}  // namespace

std::optional<Attachment> attachment_of(std::string_view properties) {
  std::map<std::string_view, std::string_view> values;
  for (const auto part : split(properties, ','))
    if (const auto sign = part.find('='); sign != std::string_view::npos)
      values[trim(part.substr(0, sign))] = trim(part.substr(sign + 1));
  if (values["link_down"] == "1") return {};
  const auto vlan = parse_number<std::uint16_t>(values["tag"]);
  return attachment_of(values["ip"], vlan.value_or(0), values["gw"]);
}

Reachability::Reachability(SimHost& host, World world, const Network& network, Services& services) {
  const auto name = str(world.getHost());
  add(name, {.attachments = [&network] { return attachments_of(network.wiring()); },
             .accepts =
                 [&services](std::string_view address, std::uint16_t port) {
                   return services.sockets().accepts(address, port);
                 }});
  const auto guests = world.getGuests();
  for (const auto guest : guests.getGuests()) {
    auto attachments = attachments_of(guests, guest.getVmid());
    if (attachments.empty()) continue;
    add(str(guest.getName()),
        {.vmid = guest.getVmid(),
         .is_up = view(guest.getState()) == "running",
         .attachments = [attachments = std::move(attachments)] { return attachments; }});
  }
  attach(host, name);
}

SimMachine& Reachability::add(const std::string& name, SimMachine machine) {
  return machines_[name] = std::move(machine);
}

SimMachine* Reachability::find(const std::string& name) {
  const auto found = machines_.find(name);
  return found == machines_.end() ? nullptr : &found->second;
}

std::vector<std::pair<std::string, std::string>> Reachability::addresses() const {
  std::vector<std::pair<std::string, std::string>> all;
  for (const auto& [name, machine] : machines_) {
    if (!machine.is_up || !machine.attachments) continue;
    for (const auto& attachment : machine.attachments()) all.emplace_back(name, attachment.address);
  }
  return all;
}

SimMachine* Reachability::find_guest(std::uint32_t vmid) {
  const auto found = std::ranges::find_if(
      machines_, [vmid](const auto& known) { return vmid != 0 && known.second.vmid == vmid; });
  return found == machines_.end() ? nullptr : &found->second;
}

const SimMachine* Reachability::machine(const std::string& name) const {
  const auto found = machines_.find(name);
  return found == machines_.end() ? nullptr : &found->second;
}

bool Reachability::leaves(const std::string& from) const {
  const auto* sender = machine(from);
  if (sender == nullptr || !sender->is_up) return false;
  return std::ranges::any_of(attachments_of(*sender), [](const Attachment& attachment) {
    return !attachment.gateway.empty() && is_neighbour(attachment, attachment.gateway);
  });
}

Reachability::Way Reachability::way(const std::string& from, const std::string& address,
                                    std::uint16_t port) const {
  const auto* sender = machine(from);
  if (sender == nullptr || !sender->is_up) return {};
  const auto own = attachments_of(*sender);
  if (is_loopback(address) || std::ranges::find(own, address, &Attachment::address) != own.end())
    return {.reach = Reach::open, .machine = sender};
  for (const auto& attachment : own)
    if (is_neighbour(attachment, address))
      return deliver(attachment, address, port, attachment.vlan);
  // There is no IPv6 in the lab.
  if (!ipv4_number(address)) return {};
  const auto routed = std::ranges::find_if(
      own, [](const Attachment& attachment) { return !attachment.gateway.empty(); });
  if (routed == own.end() || !is_neighbour(*routed, routed->gateway)) return {};
  if (isolated_.contains(routed->vlan) && !let_.contains({routed->vlan, address, port}))
    return {.reach = Reach::silent};
  return deliver(*routed, address, port, std::nullopt);
}

Reachability::Way Reachability::deliver(const Attachment& from, const std::string& address,
                                        std::uint16_t port,
                                        std::optional<std::uint16_t> vlan) const {
  // Where the network is known and the address is nobody's, the last one on the way says so; what
  // is out in the world does not answer.
  bool is_known_network = vlan.has_value();
  for (const auto& [name, receiver] : machines_) {
    for (const auto& attachment : attachments_of(receiver)) {
      is_known_network = is_known_network || is_neighbour(attachment, address);
      if (attachment.address != address || !receiver.is_up) continue;
      if (vlan && attachment.vlan != *vlan) continue;
      if (receiver.is_dropped && receiver.is_dropped(from, port)) return {.reach = Reach::silent};
      return {.reach = Reach::open, .machine = &receiver};
    }
  }
  return {.reach = is_known_network ? Reach::unreachable : Reach::silent};
}

Reach Reachability::reach(const std::string& from, const Endpoint& to) const {
  const auto found = way(from, to.address, to.port);
  if (found.reach != Reach::open) return found.reach;
  const auto& machine = *found.machine;
  const auto server = machine.servers.find(to.port);
  const bool serves =
      server != machine.servers.end() && (!server->second.runs || server->second.runs());
  const bool accepts = serves || (machine.accepts && machine.accepts(to.address, to.port));
  return accepts ? Reach::open : Reach::refused;
}

bool Reachability::is_router(const std::string& address) const {
  return std::ranges::any_of(machines_, [&](const auto& known) {
    return std::ranges::any_of(attachments_of(known.second), [&](const Attachment& attachment) {
      return attachment.gateway == address;
    });
  });
}

const Server* Reachability::server(const std::string& from, const Endpoint& to) const {
  const auto found = way(from, to.address, to.port);
  if (found.reach != Reach::open) return nullptr;
  const auto server = found.machine->servers.find(to.port);
  return server == found.machine->servers.end() ? nullptr : &server->second;
}

void Reachability::attach(SimHost& host, const std::string& name) {
  host.network([this, name](const Endpoint& endpoint) -> std::optional<Reached> {
    const auto found = reach(name, endpoint);
    if (found == Reach::unreachable && is_router(endpoint.address)) return {};
    return Reached{.reach = found, .words = std::string(words_of(found))};
  });
  host.program("curl", curl_program(host, *this, name));
  host.program("dig", dig_program(host, *this, name));
}

}  // namespace relab::agent::sim
