#include "agent/host/sim/network/docker_engine.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/host/sim/network/coverage.h"
#include "common/base/bytes.h"
#include "common/crypto/sha256.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Facts = schema::AuditServices::Facts::Reader;
using Container = schema::AuditServices::Container::Reader;
using Words = std::vector<std::string>;

Json state_of(Container container) {
  const auto state = str(container.getState());
  const bool has_ended = state == "exited" || state == "dead";
  Json json = {{"Status", state},
               {"Running", state == "running"},
               {"ExitCode", has_ended ? container.getExitCode() : 0}};
  if (container.getHealth().size() != 0) json["Health"] = {{"Status", str(container.getHealth())}};
  return json;
}

Json ports_of(std::string_view container, Facts facts) {
  auto ports = Json::object();
  for (const auto port : facts.getPorts()) {
    if (view(port.getContainer()) != container) continue;
    auto& bindings = ports[fmt::format("{}/{}", port.getInside(), view(port.getProtocol()))];
    // Null is for what the image names and nobody has published.
    if (port.getOutside() != 0 || port.getAddress().size() != 0)
      bindings.push_back(
          {{"HostIp", str(port.getAddress())}, {"HostPort", std::to_string(port.getOutside())}});
  }
  return ports;
}

Json mounts_of(std::string_view container, Facts facts) {
  auto mounts = Json::array();
  for (const auto mount : facts.getMounts()) {
    if (view(mount.getContainer()) != container) continue;
    Json json = {{"Type", str(mount.getType())},
                 {"Source", str(mount.getSource())},
                 {"Destination", str(mount.getDestination())},
                 {"RW", mount.getWritable()}};
    if (mount.getVolume().size() != 0) json["Name"] = str(mount.getVolume());
    mounts.push_back(std::move(json));
  }
  return mounts;
}

Json labels_of(Container container, Facts facts) {
  auto labels = Json::object();
  if (container.getProject().size() == 0) return labels;
  const std::string prefix = "com.docker.compose.";
  labels[prefix + "project"] = str(container.getProject());
  labels[prefix + "service"] = str(container.getService());
  for (const auto project : facts.getComposeProjects()) {
    if (view(project.getName()) != view(container.getProject())) continue;
    labels[prefix + "project.working_dir"] = str(project.getFolder());
    Words files;
    for (const auto file : project.getFiles()) files.push_back(str(file));
    labels[prefix + "project.config_files"] = fmt::format("{}", fmt::join(files, ","));
  }
  return labels;
}

/// Nothing is known of its environment, which is where secrets are.
Json inspect_json(Container container, Facts facts) {
  const auto name = str(container.getName());
  const auto ports = ports_of(name, facts);
  const bool runs = view(container.getState()) == "running";
  return {
      {"Id", crypto::sha256(bytes_of("docker " + name))},
      {"Name", "/" + name},
      {"Image", str(container.getImageId())},
      {"State", state_of(container)},
      {"HostConfig",
       {{"RestartPolicy", {{"Name", str(container.getRestartPolicy())}}},
        {"NetworkMode", str(container.getNetworkMode())},
        {"Privileged", container.getPrivileged()},
        {"PortBindings", ports}}},
      {"Config", {{"Image", str(container.getImage())}, {"Labels", labels_of(container, facts)}}},
      {"Mounts", mounts_of(name, facts)},
      {"NetworkSettings", {{"Ports", runs ? ports : Json::object()}}}};
}

/// What docker itself had said: "'docker ps' ended with 1: Cannot connect to ...".
std::string words_of_silence(Facts facts) {
  constexpr std::string_view before = "'docker ps' ended with 1: ";
  for (const auto gap : facts.getCoverage().getParts()) {
    const auto why = view(gap.getWhy());
    if (view(gap.getPart()) == "Docker" && why.starts_with(before))
      return std::string(why.substr(before.size()));
  }
  return {};
}

}  // namespace

DockerEngine::DockerEngine(SimHost& host, Facts facts)
    : host_(host), silent_(words_of_silence(facts)) {
  if (is_absent(facts.getCoverage(), "Docker") && silent_.empty()) {
    leave_out(host_, "docker");
    return;
  }
  for (const auto container : facts.getContainers()) {
    containers_.push_back(inspect_json(container, facts));
    host_.directory(Path("/var/lib/docker/containers") / text_of(containers_.back(), "Id"));
  }
  if (silent_.empty())
    for (const auto* program : {"/usr/bin/docker", "/usr/bin/dockerd"})
      host_.file(program, "", {.mode = 0755});
  host_.program("docker", [this](const Command& command) { return run(command); });
}

Json* DockerEngine::find(std::string_view name) {
  const auto found = std::ranges::find_if(containers_, [&](const Json& container) {
    return text_of(container, "Name") == "/" + std::string(name);
  });
  return found == containers_.end() ? nullptr : &*found;
}

Result<Output> DockerEngine::run(const Command& command) {
  const Words words(command.argv.begin() + 1, command.argv.end());
  const Words inspects = {"inspect", "--type", "container"};
  const bool is_list = words == Words{"ps", "--all", "--quiet", "--no-trunc"};
  const bool is_inspect =
      words.size() > inspects.size() && std::equal(inspects.begin(), inspects.end(), words.begin());
  if (!is_list && !is_inspect) return host_.does_not_know(command);
  if (!silent_.empty()) return Output{.status = 1, .err = silent_ + "\n"};
  if (is_inspect) return inspect({words.begin() + 3, words.end()});
  Output output;
  for (const auto& container : containers_) output.out += text_of(container, "Id") + "\n";
  return output;
}

Result<Output> DockerEngine::inspect(const Words& ids) {
  auto list = Json::array();
  Output output;
  for (const auto& id : ids) {
    const auto found = std::ranges::find_if(
        containers_, [&](const Json& container) { return text_of(container, "Id") == id; });
    if (found != containers_.end()) {
      list.push_back(*found);
    } else {
      output.status = 1;
      output.err += fmt::format("Error: No such container: {}\n", id);
    }
  }
  output.out = list.dump() + "\n";
  return output;
}

}  // namespace relab::agent::sim
