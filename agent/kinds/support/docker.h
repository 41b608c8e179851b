#pragma once

/// Docker's containers, of this machine or of a guest, without anything of their environment: it
/// holds secrets.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent {

struct Wanted;    // in place.h, which includes this
struct Gathered;  // in place.h

struct DockerMount {
  std::string type;         ///< bind, volume, tmpfs, as Docker names it
  std::string volume;       ///< a volume's name; "" for a bind
  std::string source;       ///< the path outside of the container; "" for a tmpfs
  std::string destination;  ///< the path inside
  bool read_only = false;

  bool operator==(const DockerMount&) const = default;
};

struct DockerPort {
  std::uint16_t container_port = 0;
  std::string protocol = {};    ///< tcp, udp, sctp
  std::string address = {};     ///< listening address outside; "" if not published
  std::uint16_t host_port = 0;  ///< 0 if not published

  bool operator==(const DockerPort&) const = default;
};

struct DockerContainer {
  std::string id;
  std::string name;   ///< without the leading slash
  std::string image;  ///< as it was asked for: "lscr.io/linuxserver/sonarr:latest"
  std::string image_id;
  std::string state;             ///< running, exited, created, paused, restarting, dead
  std::string health;            ///< healthy, unhealthy, starting; "" without a health check
  std::optional<int> exit_code;  ///< of a container that has ended
  std::string restart_policy;
  std::string network_mode;
  std::string runtime;
  bool privileged = false;
  bool asks_for_gpu = false;
  std::vector<std::string>
      command;  ///< may hold secrets: look for options you know, keep nothing else
  std::vector<DockerMount> mounts;
  std::vector<DockerPort> ports;
  std::vector<std::string> devices;  ///< paths outside
  std::map<std::string, std::string> labels;

  bool running() const { return state == "running"; }
  /// A label, or "".
  std::string label(const std::string& key) const;
  std::string compose_project() const { return label("com.docker.compose.project"); }
  std::string compose_service() const { return label("com.docker.compose.service"); }
};

/// Reads what `docker inspect` of containers printed. Fault::damaged for anything but a list of
/// containers with ids.
Result<std::vector<DockerContainer>> parse_docker_inspect(std::string_view text);

/// Reads what Docker keeps of one container on the disk (config.v2.json): image, mounts, labels,
/// and whether it ran when it was written last; no ports. Fault::damaged for anything else.
Result<DockerContainer> parse_docker_config(std::string_view text);

/// What Docker holds; containers that are stopped, too.
struct DockerView {
  std::vector<DockerContainer> containers;
  std::string absent = {};  ///< not empty: no Docker here, and why
};

/// Reads files of the place that Docker is looked for in: Place::gather.
using Gather = std::function<Result<Gathered>(const Wanted&)>;

/// What Docker left on the disk of a place, read without its engine.
struct DockerDisk {
  std::string root = "/var/lib/docker";  ///< where it keeps its data
  bool configured = false;               ///< the root comes from daemon.json
  bool installed = false;                ///< the engine's program, dockerd, is there
  bool seen = false;                     ///< the directory of its containers is there
  std::vector<std::string> containers;   ///< their directories
};

/// Takes the root from /etc/docker/daemon.json (data-root, or graph as it was called once) and
/// looks there. Fault::damaged if that file is there and cannot be understood, or if something
/// cannot be read.
Result<DockerDisk> docker_on_disk(const Gather& gather);

/// What a Docker that cannot be asked amounts to, `why` being what it said: absent only where no
/// container is left on the disk. An error where there are some, and where a root that
/// must be somewhere (of an engine that is installed, or named by daemon.json) cannot be looked at.
Result<DockerView> without_engine(const DockerDisk& disk, const Error& why);

/// Every container of this machine. Absent only where nothing speaks for containers: no docker
/// program, or no engine, and none left on the disk. An error where there are, or may be,
/// containers that could not be read.
Result<DockerView> docker_here(Host& host);

/// Every container of the engine that `docker` answers for, by a program line such as
/// {"docker"} or {"pct", "exec", "112", "--keep-env", "0", "--", "docker"}.
Result<std::vector<DockerContainer>> docker_containers(Host& host,
                                                       const std::vector<std::string>& docker);

/// Whether this is docker's way to say that no engine answers.
bool no_docker_engine(const Error& error);

}  // namespace relab::agent
