#include "agent/kinds/support/docker.h"

#include "agent/host/sim/sim_host.h"
#include "tests/support/must.h"

namespace relab::agent {

namespace {

constexpr auto one_id = "6b1f0c0de5a10000000000000000000000000000000000000000000000000001";
constexpr auto no_engine =
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon "
    "running?\n";

std::string sonarr() {
  return R"([{"Id": "6b1f0c0de5a10000000000000000000000000000000000000000000000000001",
    "Name": "/sonarr", "Image": "sha256:aa", "RestartCount": 0,
    "State": {"Status": "running", "ExitCode": 0, "Health": {"Status": "healthy"}},
    "Config": {"Image": "lscr.io/linuxserver/sonarr:latest", "Env": ["SONARR__AUTH__APIKEY=canary"],
      "Cmd": null, "Entrypoint": ["/init"],
      "Labels": {"com.docker.compose.project": "arr", "com.docker.compose.service": "sonarr"}},
    "HostConfig": {"NetworkMode": "arr_default", "Privileged": false, "Runtime": "runc",
      "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
      "Devices": [{"PathOnHost": "/dev/dri", "PathInContainer": "/dev/dri"}],
      "DeviceRequests": null, "PortBindings": {"8989/tcp": [{"HostIp": "", "HostPort": "8989"}]}},
    "Mounts": [
      {"Type": "bind", "Source": "/srv/sonarr", "Destination": "/config", "Mode": "rw", "RW": true},
      {"Type": "volume", "Name": "tv", "Source": "/var/lib/docker/volumes/tv/_data",
       "Destination": "/tv", "Driver": "local", "RW": false}],
    "NetworkSettings": {"Ports": {"8989/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8989"},
      {"HostIp": "::", "HostPort": "8989"}], "6767/udp": null}}}])";
}

void answer_with_sonarr(SimHost& host) {
  host.answer("docker ps --all --quiet --no-trunc", {.out = std::string(one_id) + "\n"});
  host.answer(std::string("docker inspect --type container ") + one_id, {.out = sonarr()});
}

}  // namespace

TEST_CASE("docker: a container is read with its mounts, ports and labels", "[agent][docker]") {
  const auto containers = must(parse_docker_inspect(sonarr()));

  REQUIRE(containers.size() == 1);
  const auto& one = containers[0];
  CHECK(one.name == "sonarr");
  CHECK(one.image == "lscr.io/linuxserver/sonarr:latest");
  CHECK(one.running());
  CHECK(one.health == "healthy");
  CHECK(one.restart_policy == "unless-stopped");
  CHECK(one.compose_project() == "arr");
  CHECK(one.devices == std::vector<std::string>{"/dev/dri"});
  REQUIRE(one.mounts.size() == 2);
  CHECK(one.mounts[0] == DockerMount{.type = "bind",
                                     .volume = "",
                                     .source = "/srv/sonarr",
                                     .destination = "/config",
                                     .read_only = false});
  CHECK(one.mounts[1].volume == "tv");
  CHECK(one.mounts[1].read_only);
  REQUIRE(one.ports.size() == 3);
  CHECK(one.ports[0] == DockerPort{.container_port = 6767, .protocol = "udp"});
  CHECK(one.ports[1].address == "0.0.0.0");
  CHECK(one.ports[1].host_port == 8989);
}

TEST_CASE("docker: a stopped container keeps its exit code and its asked-for ports",
          "[agent][docker]") {
  const auto containers = must(parse_docker_inspect(R"([{"Id": "a1", "Name": "/radarr",
      "State": {"Status": "exited", "ExitCode": 137}, "Config": {"Image": "radarr"},
      "HostConfig": {"PortBindings": {"7878/tcp": [{"HostIp": "127.0.0.1", "HostPort": "17878"}]},
        "DeviceRequests": [{"Driver": "nvidia", "Count": -1, "Capabilities": [["gpu"]]}]},
      "NetworkSettings": {"Ports": {}}}])"));

  CHECK(containers.at(0).exit_code == 137);
  CHECK(containers.at(0).ports.at(0).host_port == 17878);
  CHECK(containers.at(0).asks_for_gpu);
}

TEST_CASE("docker: what is no list of containers is an error", "[agent][docker]") {
  const auto text =
      GENERATE("", "{}", "[{\"Name\": \"/x\"}]", "[1, null]", "[{\"Id\": \"a\"", "\xff");

  const auto containers = parse_docker_inspect(text);

  REQUIRE_FALSE(containers);
  CHECK(containers.error().fault == Fault::damaged);
}

TEST_CASE("docker: members of a wrong type are taken as not given", "[agent][docker]") {
  const auto containers = must(parse_docker_inspect(R"([{"Id": "a", "Name": 3, "Mounts": "x",
      "State": [], "Config": {"Labels": 7, "Cmd": {}}, "HostConfig": null,
      "NetworkSettings": {"Ports": {"x/y/z": 3, "99999/tcp": [5]}}}])"));

  CHECK(containers.at(0).mounts.empty());
  CHECK(containers.at(0).ports.at(0).container_port == 0);
}

TEST_CASE("docker: every container of this machine is asked for in one go", "[agent][docker]") {
  SimHost host;
  answer_with_sonarr(host);

  const auto view = must(docker_here(host));

  CHECK(view.absent.empty());
  CHECK(view.containers.size() == 1);
  CHECK(host.ran().size() == 2);
}

TEST_CASE("docker: an engine without containers is an empty list, not an absence",
          "[agent][docker]") {
  SimHost host;
  host.answer("docker ps --all --quiet --no-trunc", {.out = ""});

  const auto view = must(docker_here(host));

  CHECK(view.absent.empty());
  CHECK(view.containers.empty());
}

TEST_CASE("docker: no program and no containers on disk is an absence", "[agent][docker]") {
  SimHost host;

  CHECK(must(docker_here(host)).absent == "no docker on this machine");
}

TEST_CASE("docker: a client without an engine is an absence", "[agent][docker]") {
  SimHost host;
  host.program("docker", Output{.status = 1, .err = no_engine});

  const auto view = must(docker_here(host));

  CHECK_THAT(view.absent, Catch::Contains("Cannot connect to the Docker daemon"));
}

TEST_CASE("docker: containers on disk without an engine are an error", "[agent][docker]") {
  SimHost host;
  host.directory(std::string("/var/lib/docker/containers/") + one_id);
  if (GENERATE(true, false)) host.program("docker", Output{.status = 1, .err = no_engine});

  const auto view = docker_here(host);

  REQUIRE_FALSE(view);
  CHECK_THAT(view.error().what, Catch::StartsWith("1 containers in /var/lib/docker"));
}

TEST_CASE("docker: containers below the root of daemon.json are found", "[agent][docker]") {
  SimHost host;
  host.file("/etc/docker/daemon.json",
            GENERATE(R"({"data-root": "/tank/docker/"})", R"({"graph": "/tank/docker"})",
                     R"({"graph": "/old", "data-root": "/tank/docker"})"));
  host.directory(std::string("/tank/docker/containers/") + one_id);
  if (GENERATE(true, false)) host.program("docker", Output{.status = 1, .err = no_engine});

  const auto view = docker_here(host);

  REQUIRE_FALSE(view);
  CHECK_THAT(view.error().what, Catch::StartsWith("1 containers in /tank/docker cannot be read"));
}

TEST_CASE("docker: a daemon.json that cannot be understood is an error", "[agent][docker]") {
  SimHost host;
  host.program("docker", Output{.status = 1, .err = no_engine});
  host.file("/etc/docker/daemon.json", GENERATE("{", "[]", R"({"data-root": 3})",
                                                R"({"data-root": "x"})", R"({"graph": "/a*"})"));

  const auto view = docker_here(host);

  REQUIRE_FALSE(view);
  CHECK(view.error().fault == Fault::damaged);
  CHECK_THAT(view.error().what, Catch::Contains("/etc/docker/daemon.json"));
}

TEST_CASE("docker: a daemon.json that cannot be read is an error", "[agent][docker]") {
  SimHost host;
  host.file("/etc/docker/daemon.json", "{}");
  host.broken("/etc/docker/daemon.json", {.fault = Fault::damaged, .what = "input/output error"});

  CHECK_FALSE(docker_here(host));
}

TEST_CASE("docker: a root that is not there is an error for an installed engine",
          "[agent][docker]") {
  SimHost host;
  host.program("docker", Output{.status = 1, .err = no_engine});
  // An empty directory is what remains of a file system that is not mounted.
  SECTION("named by daemon.json") {
    host.file("/etc/docker/daemon.json", R"({"data-root": "/tank/docker"})");
    if (GENERATE(true, false)) host.directory("/tank/docker");
  }
  SECTION("the usual one, empty") {
    host.file("/usr/bin/dockerd", "");
    host.directory("/var/lib/docker");
  }
  SECTION("the usual one, a link to nothing") {
    host.file("/usr/sbin/dockerd", "");
    host.link("/var/lib/docker", "/tank/docker");
  }

  const auto view = docker_here(host);

  REQUIRE_FALSE(view);
  CHECK_THAT(view.error().what, Catch::Contains("cannot be looked at"));
}

TEST_CASE("docker: an installed engine that has no container is an absence", "[agent][docker]") {
  SimHost host;
  host.program("docker", Output{.status = 1, .err = no_engine});
  host.file("/usr/bin/dockerd", "");
  host.file("/etc/docker/daemon.json", GENERATE("", "{}", R"({"log-driver": "journald"})"));
  host.directory("/var/lib/docker/containers");

  CHECK_THAT(must(docker_here(host)).absent, Catch::Contains("Cannot connect"));
}

TEST_CASE("docker: a refused socket is an error, not an absence", "[agent][docker]") {
  SimHost host;
  host.program("docker", Output{.status = 1, .err = "permission denied while trying to connect\n"});

  const auto view = docker_here(host);

  REQUIRE_FALSE(view);
  CHECK_THAT(view.error().what, Catch::Contains("permission denied"));
}

TEST_CASE("docker: a container that vanishes meanwhile is asked for once more", "[agent][docker]") {
  SimHost host;
  int calls = 0;
  host.program("docker", [&](const Command&) -> Result<Output> {
    if (++calls == 1) return Output{.out = "gone\n"};
    if (calls == 2)
      return Output{.status = 1, .out = "[]", .err = "Error: No such container: gone\n"};
    if (calls == 3) return Output{.out = std::string(one_id) + "\n"};
    return Output{.out = sonarr()};
  });

  const auto containers = must(docker_containers(host, {"/usr/bin/docker"}));

  CHECK(containers.size() == 1);
}

TEST_CASE("docker: an answer about fewer containers than asked for is an error",
          "[agent][docker]") {
  SimHost host;
  host.answer("docker ps --all --quiet --no-trunc", {.out = std::string(one_id) + "\n"});
  host.answer(std::string("docker inspect --type container ") + one_id, {.out = "[]"});

  CHECK_FALSE(docker_here(host));
}

TEST_CASE("docker: a failure never repeats standard output", "[agent][docker]") {
  SimHost host;
  host.answer("docker ps --all --quiet --no-trunc", {.out = std::string(one_id) + "\n"});
  host.answer(std::string("docker inspect --type container ") + one_id,
              {.status = 1, .out = "[{\"Env\": [\"KEY=canary\"]"});

  const auto view = docker_here(host);

  REQUIRE_FALSE(view);
  CHECK_THAT(view.error().sentence(), !Catch::Contains("canary"));
}

}  // namespace relab::agent
