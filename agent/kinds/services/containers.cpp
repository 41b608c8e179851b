#include "agent/kinds/services/containers.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/text.h"

namespace relab::agent::services {

namespace {

using FactsBuilder = schema::AuditServices::Facts::Builder;
using Containers = std::vector<DockerContainer>;

/// All elements of one list of every container, with the container's name.
template <typename Element>
std::vector<std::pair<std::string, Element>> flatten(
    const Containers& containers, std::vector<Element> DockerContainer::*elements) {
  std::vector<std::pair<std::string, Element>> all;
  for (const auto& container : containers)
    for (const auto& element : container.*elements) all.emplace_back(container.name, element);
  return all;
}

void put_containers(const Containers& containers, FactsBuilder facts) {
  auto list = facts.initContainers(static_cast<unsigned>(containers.size()));
  unsigned i = 0;
  for (const auto& container : containers) {
    auto entry = list[i++];
    entry.setName(container.name);
    entry.setImage(container.image);
    entry.setImageId(container.image_id);
    entry.setState(container.state);
    entry.setHealth(container.health);
    entry.setExitCode(container.exit_code.value_or(-1));
    entry.setRestartPolicy(container.restart_policy);
    entry.setPrivileged(container.privileged);
    entry.setNetworkMode(container.network_mode);
    entry.setProject(container.compose_project());
    entry.setService(container.compose_service());
  }
}

void put_ports(const Containers& containers, FactsBuilder facts) {
  const auto ports = flatten(containers, &DockerContainer::ports);
  auto list = facts.initPorts(static_cast<unsigned>(ports.size()));
  unsigned i = 0;
  for (const auto& [container, port] : ports) {
    auto entry = list[i++];
    entry.setContainer(container);
    entry.setProtocol(port.protocol);
    entry.setInside(port.container_port);
    entry.setAddress(port.address);
    entry.setOutside(port.host_port);
  }
}

void put_mounts(const Containers& containers, FactsBuilder facts) {
  const auto mounts = flatten(containers, &DockerContainer::mounts);
  auto list = facts.initMounts(static_cast<unsigned>(mounts.size()));
  unsigned i = 0;
  for (const auto& [container, mount] : mounts) {
    auto entry = list[i++];
    entry.setContainer(container);
    entry.setType(mount.type);
    entry.setSource(mount.source);
    entry.setDestination(mount.destination);
    entry.setWritable(!mount.read_only);
    entry.setVolume(mount.volume);
  }
}

void put_projects(const Containers& containers, FactsBuilder facts) {
  const auto projects = compose_projects(containers);
  auto list = facts.initComposeProjects(static_cast<unsigned>(projects.size()));
  unsigned i = 0;
  for (const auto& project : projects) {
    auto entry = list[i++];
    entry.setName(project.name);
    entry.setFolder(project.folder);
    entry.setContainers(project.containers);
    entry.setRunning(project.running);
    auto files = entry.initFiles(static_cast<unsigned>(project.files.size()));
    for (unsigned file = 0; file < files.size(); ++file) files.set(file, project.files[file]);
  }
}

}  // namespace

std::vector<ComposeProject> compose_projects(const Containers& containers) {
  std::map<std::string, ComposeProject> projects;
  for (const auto& container : containers) {
    const auto name = container.compose_project();
    if (name.empty()) continue;
    auto& project = projects[name];
    project.name = name;
    ++project.containers;
    if (container.running()) ++project.running;
    project.folder = container.label("com.docker.compose.project.working_dir");
    const auto files = container.label("com.docker.compose.project.config_files");
    for (const auto file : split(files, ','))
      if (!file.empty() && std::ranges::find(project.files, file) == project.files.end())
        project.files.emplace_back(file);
  }
  std::vector<ComposeProject> all;
  for (auto& [name, project] : projects) all.push_back(std::move(project));
  return all;
}

void observe_containers(Host& host, FactsBuilder facts, Gaps& gaps) {
  const auto docker = docker_here(host);
  if (!docker) {
    gaps.problem("Docker", docker.error());
    return;
  }
  if (!docker->absent.empty()) gaps.absent("Docker", docker->absent);
  put_containers(docker->containers, facts);
  put_ports(docker->containers, facts);
  put_mounts(docker->containers, facts);
  put_projects(docker->containers, facts);
}

}  // namespace relab::agent::services
