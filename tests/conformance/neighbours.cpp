#include "tests/conformance/neighbours.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "agent/host/sim/network/subnet.h"
#include "agent/kinds/support/json.h"

namespace relab::conformance {

namespace {

using agent::Json;
using agent::sim::Attachment;
using agent::sim::HttpAnswer;
using agent::sim::NameRecord;
using agent::sim::Server;
using agent::sim::SimMachine;

Server server_of(const Json& json) {
  Server server;
  server.certificates = json.value("certificates", "");
  if (!json.contains("answers")) return server;
  std::map<std::string, HttpAnswer> answers;
  for (const auto& [path, answer] : json.at("answers").items())
    answers[path] = {.status = answer.at("status"), .body = answer.at("body")};
  server.http = [answers =
                     std::move(answers)](const std::string& path) -> std::optional<HttpAnswer> {
    const auto found = answers.find(path);
    if (found == answers.end()) return {};
    return found->second;
  };
  return server;
}

SimMachine machine_of(const Json& json) {
  SimMachine machine;
  const std::string cidr = json.at("address");
  const auto subnet = agent::sim::subnet_of(cidr);
  const Attachment attachment{.address = cidr.substr(0, cidr.find('/')),
                              .prefix = subnet ? subnet->prefix : std::uint8_t{32},
                              .gateway = json.at("gateway")};
  machine.attachments = [attachment] { return std::vector{attachment}; };
  for (const auto& server : json.value("servers", Json::array()))
    machine.servers[server.at("port")] = server_of(server);
  machine.is_dropped = [dropped = json.value("dropped", std::set<std::uint16_t>())](
                           const Attachment& /*from*/, std::uint16_t port) {
    return dropped.contains(port);
  };
  if (!json.contains("names")) return machine;
  machine.names.emplace();
  for (const auto& record : json.at("names"))
    machine.names->push_back(
        {.name = record.at("name"), .type = record.at("type"), .value = record.at("value")});
  return machine;
}

}  // namespace

Result<void> place_neighbours(std::string_view json, agent::sim::Reachability& lab) {
  RELAB_TRY(const auto parsed, agent::parse_json(json, "the neighbours"));
  for (const auto& machine : parsed.at("machines"))
    lab.add(machine.at("name"), machine_of(machine));
  return {};
}

}  // namespace relab::conformance
