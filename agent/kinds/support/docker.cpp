#include "agent/kinds/support/docker.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/json.h"
#include "agent/kinds/support/tree.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent {

namespace {

constexpr std::size_t ids_per_call_max = 50;
constexpr std::size_t inspect_size_max = std::size_t{8} << 20U;
constexpr int attempts_max = 2;

std::uint16_t port_of(std::string_view text) {
  const auto number = parse_number<std::uint16_t>(text);
  return number ? *number : std::uint16_t{0};
}

std::vector<std::string> texts_of(const Json& list) {
  std::vector<std::string> texts;
  if (!list.is_array()) return texts;
  for (const auto& item : list) texts.push_back(text_of(item));
  return texts;
}

DockerMount mount_of(const Json& mount) {
  return {.type = text_of(mount, "Type"),
          .volume = text_of(mount, "Name"),
          .source = text_of(mount, "Source"),
          .destination = text_of(mount, "Destination"),
          .read_only = member(mount, "RW").is_boolean() && !truth_of(mount, "RW")};
}

std::vector<DockerMount> mounts_of(const Json& list) {
  std::vector<DockerMount> mounts;
  if (!list.is_array()) return mounts;
  for (const auto& mount : list) mounts.push_back(mount_of(mount));
  return mounts;
}

/// `PortBindings` is what was asked for and stays when a container is stopped; `Ports` is what is.
std::vector<DockerPort> ports_of(const Json& map) {
  std::vector<DockerPort> ports;
  if (!map.is_object()) return ports;
  for (const auto& [key, bindings] : map.items()) {
    const auto parts = split(key, '/');
    const DockerPort port{.container_port = port_of(parts.front()),
                          .protocol = std::string(parts.size() > 1 ? parts[1] : "tcp"),
                          .address = {},
                          .host_port = 0};
    if (!bindings.is_array() || bindings.empty()) ports.push_back(port);
    if (!bindings.is_array()) continue;
    for (const auto& binding : bindings) {
      ports.push_back(port);
      ports.back().address = text_of(binding, "HostIp");
      ports.back().host_port = port_of(text_of(binding, "HostPort"));
    }
  }
  return ports;
}

std::vector<std::string> devices_of(const Json& list) {
  std::vector<std::string> devices;
  if (!list.is_array()) return devices;
  for (const auto& device : list) devices.push_back(text_of(device, "PathOnHost"));
  return devices;
}

std::map<std::string, std::string> labels_of(const Json& map) {
  std::map<std::string, std::string> labels;
  if (!map.is_object()) return labels;
  for (const auto& [key, value] : map.items()) labels[key] = text_of(value);
  return labels;
}

bool is_gpu_request(const Json& request) {
  if (text_of(request, "Driver") == "nvidia") return true;
  // Lists of alternatives, each a list of what it must be able to do.
  const auto& alternatives = member(request, "Capabilities");
  if (!alternatives.is_array()) return false;
  return std::ranges::any_of(alternatives, [](const Json& all) {
    const auto texts = texts_of(all);
    return std::ranges::find(texts, "gpu") != texts.end();
  });
}

bool gpu_in(const Json& requests) {
  return requests.is_array() && std::ranges::any_of(requests, is_gpu_request);
}

void read_state(const Json& state, DockerContainer& container) {
  container.state = text_of(state, "Status");
  container.health = text_of(member(state, "Health"), "Status");
  const auto& code = member(state, "ExitCode");
  if ((container.state == "exited" || container.state == "dead") && code.is_number_integer())
    container.exit_code = static_cast<int>(code.get<std::int64_t>());
}

void read_host_config(const Json& config, DockerContainer& container) {
  container.restart_policy = text_of(member(config, "RestartPolicy"), "Name");
  container.network_mode = text_of(config, "NetworkMode");
  container.runtime = text_of(config, "Runtime");
  container.privileged = truth_of(config, "Privileged");
  container.asks_for_gpu =
      gpu_in(member(config, "DeviceRequests")) || container.runtime == "nvidia";
  container.devices = devices_of(member(config, "Devices"));
  if (container.ports.empty()) container.ports = ports_of(member(config, "PortBindings"));
}

DockerContainer container_of(const Json& json) {
  DockerContainer container;
  container.id = text_of(json, "Id");
  container.name = text_of(json, "Name");
  if (container.name.starts_with('/')) container.name.erase(0, 1);
  container.image_id = text_of(json, "Image");
  const auto& config = member(json, "Config");
  container.image = text_of(config, "Image");
  container.labels = labels_of(member(config, "Labels"));
  container.command = texts_of(member(config, "Entrypoint"));
  std::ranges::move(texts_of(member(config, "Cmd")), std::back_inserter(container.command));
  container.mounts = mounts_of(member(json, "Mounts"));
  container.ports = ports_of(member(member(json, "NetworkSettings"), "Ports"));
  read_state(member(json, "State"), container);
  read_host_config(member(json, "HostConfig"), container);
  return container;
}

/// What a docker command said in failing. Never its standard output: that may be an environment.
tl::unexpected<Error> docker_failed(std::string_view action, const Output& output) {
  auto words = first_words(Output{.status = output.status, .out = {}, .err = output.err});
  return fail(Fault::damaged,
              fmt::format("'docker {}' ended with {}: {}", action, output.status, words));
}

Result<std::vector<std::string>> container_ids(Host& host, std::vector<std::string> argv) {
  for (const auto* word : {"ps", "--all", "--quiet", "--no-trunc"}) argv.emplace_back(word);
  RELAB_TRY(const auto output, host.run({.argv = std::move(argv)}));
  if (output.status != 0 || output.truncated) return docker_failed("ps", output);
  std::vector<std::string> ids;
  for (const auto line : lines(output.out))
    if (!trim(line).empty()) ids.emplace_back(trim(line));
  return ids;
}

Result<std::vector<DockerContainer>> inspect(Host& host, std::vector<std::string> argv,
                                             const std::vector<std::string>& ids) {
  for (const auto* word : {"inspect", "--type", "container"}) argv.emplace_back(word);
  argv.insert(argv.end(), ids.begin(), ids.end());
  RELAB_TRY(const auto output, host.run({.argv = std::move(argv), .output_max = inspect_size_max}));
  if (output.status != 0) return docker_failed("inspect", output);
  if (output.truncated)
    return fail(Fault::damaged,
                fmt::format("'docker inspect' of {} containers printed more than {} bytes",
                            ids.size(), inspect_size_max));
  RELAB_TRY(auto containers, parse_docker_inspect(output.out));
  if (containers.size() != ids.size())
    return fail(Fault::damaged, fmt::format("'docker inspect' told of {} containers, not of {}",
                                            containers.size(), ids.size()));
  return containers;
}

Result<std::vector<DockerContainer>> inspect_all(Host& host, const std::vector<std::string>& docker,
                                                 const std::vector<std::string>& ids) {
  std::vector<DockerContainer> all;
  for (std::size_t at = 0; at < ids.size(); at += ids_per_call_max) {
    const auto end = std::min(ids.size(), at + ids_per_call_max);
    using Difference = std::vector<std::string>::difference_type;
    const std::vector<std::string> some(ids.begin() + static_cast<Difference>(at),
                                        ids.begin() + static_cast<Difference>(end));
    RELAB_TRY(auto containers, inspect(host, docker, some));
    std::ranges::move(containers, std::back_inserter(all));
  }
  return all;
}

constexpr auto daemon_json = "/etc/docker/daemon.json";

/// Fault::damaged if something of it could not be read.
Result<Gathered> gather_all(const Gather& gather, const Wanted& wanted) {
  RELAB_TRY(auto gathered, gather(wanted));
  if (gathered.unreadable.empty()) return gathered;
  const auto& [path, why] = *gathered.unreadable.begin();
  return fail(Fault::damaged, fmt::format("{}: {}", path, why));
}

/// The root that daemon.json names; nothing if it leaves it to Docker.
Result<std::optional<std::string>> configured_root(std::string_view text) {
  // Docker takes an empty file for an empty configuration.
  if (trim(text).empty()) return std::nullopt;
  RELAB_TRY(const auto json, parse_json(text, daemon_json));
  if (!json.is_object()) return fail(Fault::damaged, fmt::format("{} is no object", daemon_json));
  const auto* key = json.contains("data-root") ? "data-root" : "graph";
  if (!json.contains(key)) return std::nullopt;
  const auto root = text_of(json, key);
  // A '*' would be looked for as a pattern.
  if (!root.starts_with('/') || root.find('*') != std::string::npos)
    return fail(Fault::damaged, fmt::format("{} names no usable path as {}", daemon_json, key));
  auto plain = Path(root).lexically_normal().string();
  while (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
  return plain;
}

}  // namespace

std::string DockerContainer::label(const std::string& key) const {
  const auto found = labels.find(key);
  return found == labels.end() ? std::string() : found->second;
}

Result<std::vector<DockerContainer>> parse_docker_inspect(std::string_view text) {
  RELAB_TRY(const auto list, parse_json(text, "docker inspect"));
  if (!list.is_array()) return fail(Fault::damaged, "docker inspect printed no list");
  std::vector<DockerContainer> containers;
  for (const auto& item : list) {
    containers.push_back(container_of(item));
    if (containers.back().id.empty())
      return fail(Fault::damaged, "docker inspect printed a container without an id");
  }
  return containers;
}

Result<DockerContainer> parse_docker_config(std::string_view text) {
  RELAB_TRY(const auto json, parse_json(text, "docker's config.v2.json"));
  DockerContainer container;
  container.id = text_of(json, "ID");
  if (container.id.empty()) return fail(Fault::damaged, "docker's config.v2.json tells no id");
  container.name = text_of(json, "Name");
  if (container.name.starts_with('/')) container.name.erase(0, 1);
  const auto& config = member(json, "Config");
  container.image = text_of(config, "Image");
  container.labels = labels_of(member(config, "Labels"));
  container.state = truth_of(member(json, "State"), "Running") ? "running" : "exited";
  const auto& mounts = member(json, "MountPoints");
  if (mounts.is_object())
    for (const auto& [destination, mount] : mounts.items()) {
      container.mounts.push_back(mount_of(mount));
      container.mounts.back().destination = destination;
    }
  return container;
}

bool no_docker_engine(const Error& error) {
  return error.what.find("Cannot connect to the Docker daemon") != std::string::npos ||
         error.what.find("failed to connect to the docker API") != std::string::npos;
}

Result<std::vector<DockerContainer>> docker_containers(Host& host,
                                                       const std::vector<std::string>& docker) {
  Result<std::vector<DockerContainer>> containers = fail(Fault::damaged, "docker was not asked");
  // A container may be removed between the two commands: then the second answers with an error,
  // once.
  for (int attempt = 0; attempt < attempts_max && !containers; ++attempt) {
    RELAB_TRY(const auto ids, container_ids(host, docker));
    containers = inspect_all(host, docker, ids);
  }
  return containers;
}

Result<DockerDisk> docker_on_disk(const Gather& gather) {
  DockerDisk disk;
  RELAB_TRY(const auto daemon,
            gather_all(gather, {.contents = {daemon_json},
                                .names = {"/usr/bin/dockerd", "/usr/sbin/dockerd",
                                          "/usr/local/bin/dockerd"}}));
  disk.installed = !daemon.names.empty();
  if (const auto text = daemon.contents.find(daemon_json); text != daemon.contents.end()) {
    RELAB_TRY(auto root, configured_root(text->second));
    disk.configured = root.has_value();
    disk.root = root.value_or(disk.root);
  }
  const auto folder = (Path(disk.root) / "containers").string();
  RELAB_TRY(const auto left,
            gather_all(gather, {.contents = {}, .names = {folder, folder + "/*"}}));
  disk.seen = left.names.contains(folder);
  std::ranges::copy_if(left.names, std::back_inserter(disk.containers),
                       [&](const auto& name) { return name != folder; });
  return disk;
}

Result<DockerView> without_engine(const DockerDisk& disk, const Error& why) {
  if (!disk.containers.empty())
    return fail(Fault::damaged,
                fmt::format("{} containers in {} cannot be read: {}", disk.containers.size(),
                            disk.root, why.what),
                "start Docker (systemctl start docker) and audit again");
  if (!disk.seen && (disk.installed || disk.configured))
    return fail(Fault::damaged,
                fmt::format("Docker does not answer, and {}, where it keeps its containers, cannot "
                            "be looked at: {}",
                            disk.root, why.what),
                disk.configured
                    ? "mount it, or remove /etc/docker/daemon.json if Docker is not used any more"
                    : "mount it, or remove Docker if it is not used any more");
  return DockerView{.containers = {}, .absent = why.what};
}

Result<DockerView> docker_here(Host& host) {
  auto containers = docker_containers(host, {"docker"});
  if (containers) return DockerView{.containers = std::move(*containers)};
  const auto& error = containers.error();
  if (error.fault != Fault::missing && !no_docker_engine(error)) return fail(error);
  Tree tree(host, {{.path = "/", .source = "/"}});
  RELAB_TRY(const auto disk, docker_on_disk([&](const Wanted& wanted) -> Result<Gathered> {
              return tree.gather(wanted);
            }));
  return without_engine(disk, error);
}

}  // namespace relab::agent
