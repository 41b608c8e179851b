// Who is reached in the machines of a lab, and what answers there.

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "common/base/number.h"
#include "controller/lab/lab.h"
#include "controller/lab/programs.h"
#include "controller/rehearsal/answers.h"
#include "controller/rehearsal/set.h"

namespace relab::rehearsal {

namespace {

/// Of "tcp://10.42.10.2:7460" the machine has the address; a name is taken for one of it.
bool has_address(agent::sim::Machine& machine, const std::string& name,
                 const std::string& endpoint) {
  const auto begin = endpoint.find("://") + 3;
  const auto address = endpoint.substr(begin, endpoint.rfind(':') - begin);
  if (address.find_first_not_of("0123456789.") != std::string::npos) return true;
  return std::ranges::any_of(machine.reachability().addresses(), [&](const auto& one) {
    return one.first == name && one.second == address;
  });
}

}  // namespace

/// VLANs that open nothing, and what answers in guests: an audit tells of their ports at most.
void Set::join_network(const std::string& host, agent::sim::Machine& machine) {
  auto& reachability = machine.reachability();
  for (const auto vlan : lab_.getNetwork().getVlans())
    if (vlan.getIsolated()) reachability.isolate(vlan.getId());
  // Its own agent is asked there, and nobody else knows what that says.
  if (const auto endpoint = lab::agent_endpoint(lab_, host); endpoint) {
    const auto port =
        parse_number<std::uint16_t>(std::string_view(*endpoint).substr(endpoint->rfind(':') + 1));
    auto* there = reachability.find(host);
    if (port && there != nullptr)
      there->servers[*port] = {
          .http = [](const std::string&) { return std::optional<agent::sim::HttpAnswer>(); }};
  }
  std::map<std::uint32_t, Listening> all;
  for (const auto& [vmid, found] : found_[host])
    for (const auto port : found.ports) all[vmid][port] = [] { return true; };
  for (const auto guest : lab_.getGuests()) {
    auto* there = reachability.find_guest(guest.getVmid());
    if (there != nullptr) add_services(host, guest, *there, all[guest.getVmid()]);
  }
  for (auto& [vmid, listening] : all)
    if (auto* there = reachability.find_guest(vmid); there != nullptr)
      there->accepts = [listening = std::move(listening)](std::string_view /*address*/,
                                                          std::uint16_t port) {
        const auto open = listening.find(port);
        return open != listening.end() && open->second();
      };
}

/// Of some, nobody knows what they say: they are among those that only listen.
void Set::add_services(const std::string& host, schema::Lab::Guest::Reader guest,
                       agent::sim::SimMachine& there, Listening& listening) {
  const auto vmid = guest.getVmid();
  for (const auto service : guest.getServices()) {
    const auto kind = service.getKind();
    const auto port = service.getPort();
    // WireGuard's port is one of UDP.
    if (port == 0 || kind == schema::Lab::Service::Kind::WIREGUARD ||
        (found_[host].contains(vmid) && service.getPlanned()))
      continue;
    auto is_up = [this, host, vmid, service] { return runs(host, vmid, service); };
    listening.erase(port);
    if (auto answers = answers_of(kind))
      there.servers[port] = {.http = std::move(answers), .runs = std::move(is_up)};
    else
      listening[port] = std::move(is_up);
  }
}

bool Set::runs(const std::string& host, std::uint32_t vmid,
               schema::Lab::Service::Reader service) const {
  const auto& program = lab::program(service.getKind());
  const auto& all = found_.at(host);
  const auto found = all.find(vmid);
  std::vector<std::string> names(program.units.begin(), program.units.end());
  if (found != all.end())
    std::ranges::copy_if(found->second.units, std::back_inserter(names),
                         [&](const auto& name) { return lab::program_of_unit(name) == &program; });
  auto* debian = machines_.at(host)->proxmox().debian(vmid);
  bool is_known = false;
  for (const auto& name : names) {
    // A template is none of its instances.
    if (debian == nullptr || name.find("@.") != std::string::npos) continue;
    if (debian->units().is_active(name)) return true;
    is_known = is_known || debian->units().state(name).load != "not-found";
  }
  if (is_known || found == all.end()) return false;
  for (const auto& [image, runs] : found->second.images)
    if (lab::program_of_image(image) == &program)
      return runs && (debian == nullptr || debian->units().is_active("docker.service"));
  return !found->second.is_known() || found->second.ports.contains(service.getPort());
}

void Set::look_at_addresses() {
  shared_at_first_ = shared_now();
  for (const auto& [name, machine] : machines_)
    if (const auto endpoint = lab::agent_endpoint(lab_, name);
        !endpoint || !has_address(*machine, name, *endpoint))
      elsewhere_.insert(name);
}

bool Set::is_reached(const std::string& agent, const std::string& endpoint) const {
  const auto host = machines_.find(agent);
  if (host == machines_.end()) {
    const auto [machine, vmid] = with_guest(agent);
    return machine == nullptr || machine->proxmox().runs(vmid);
  }
  if (elsewhere_.contains(agent)) return true;
  const auto commands = host->second->host().ran().size();
  auto& known = reached_[agent];
  if (known.commands != commands)
    known = {.commands = commands, .has_address = has_address(*host->second, agent, endpoint)};
  return known.has_address;
}

std::map<std::string, std::set<std::string>> Set::shared_now() const {
  std::map<std::string, std::set<std::string>> all;
  for (const auto& [host, machine] : machines_)
    for (const auto& [name, address] : machine->reachability().addresses())
      all[address].insert(name);
  std::erase_if(all, [](const auto& one) { return one.second.size() < 2; });
  return all;
}

std::vector<std::pair<std::string, std::string>> Set::shared_addresses() const {
  std::vector<std::pair<std::string, std::string>> told;
  for (const auto& [address, names] : shared_now()) {
    const auto before = shared_at_first_.find(address);
    if (before == shared_at_first_.end() || before->second != names)
      told.emplace_back(address, fmt::format("{}", fmt::join(names, " and ")));
  }
  return told;
}

}  // namespace relab::rehearsal
