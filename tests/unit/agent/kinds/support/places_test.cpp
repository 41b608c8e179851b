#include "agent/kinds/support/places.h"

#include "tests/support/must.h"
#include "tests/support/sample.h"
#include "tests/support/sim_guest.h"

namespace relab::agent {

namespace {

constexpr auto no_engine =
    "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon "
    "running?\n";

void add_container(SimHost& host, const std::string& state) {
  host.link("/etc/pve/local", "nodes/pve");
  host.file("/etc/pve/nodes/pve/lxc/130.conf", sample("pve/130.conf"));
  host.answer("pvesh get /nodes/localhost/lxc --output-format json",
              {.out = R"([{"vmid": 130, "status": ")" + state + R"("}])"});
}

/// Docker as the container 130 shows it.
Result<DockerView> docker_of_container(SimHost& host) {
  Gaps gaps;
  const auto places = find_places(
      host, [](std::string_view) { return false; }, gaps);
  for (const auto& place : places.all)
    if (place->vmid() == 130) return place->docker();
  return fail(Fault::missing, "container 130 is no place");
}

Result<DockerView> docker_of_running(SimHost& guest) {
  SimHost host;
  add_container(host, "running");
  host.program("pct", containers({{"130", &guest}}));
  return docker_of_container(host);
}

constexpr auto stopped_root = "/var/lib/lxc/130/rootfs";

}  // namespace

TEST_CASE("places: a running container without Docker has none", "[agent][docker]") {
  SimHost guest;

  CHECK(must(docker_of_running(guest)).absent == "no Docker in it");
}

TEST_CASE("places: containers below another root of a silent engine are an error",
          "[agent][docker]") {
  SimHost guest;
  guest.file("/etc/docker/daemon.json", R"({"data-root": "/srv/docker"})");
  guest.directory("/srv/docker/containers/a1");
  if (GENERATE(true, false)) {
    guest.file("/usr/bin/docker", "");
    guest.program("docker", Output{.status = 1, .err = no_engine});
  }

  const auto view = docker_of_running(guest);

  REQUIRE_FALSE(view);
  CHECK_THAT(view.error().what, Catch::StartsWith("1 containers in /srv/docker cannot be read"));
}

TEST_CASE("places: a daemon.json of a running container that nobody understands is an error",
          "[agent][docker]") {
  SimHost guest;
  guest.file("/etc/docker/daemon.json", "{");
  guest.file("/usr/bin/docker", "");
  guest.program("docker", Output{.status = 1, .err = no_engine});

  CHECK_FALSE(docker_of_running(guest));
}

TEST_CASE("places: a silent engine of a running container whose root is gone is an error",
          "[agent][docker]") {
  SimHost guest;
  guest.file("/usr/bin/docker", "");
  guest.file("/usr/bin/dockerd", "");
  guest.program("docker", Output{.status = 1, .err = no_engine});

  const auto view = docker_of_running(guest);

  REQUIRE_FALSE(view);
  CHECK_THAT(view.error().what, Catch::Contains("/var/lib/docker, where it keeps"));
}

TEST_CASE("places: a client without an engine in a running container is an absence",
          "[agent][docker]") {
  SimHost guest;
  guest.file("/usr/bin/docker", "");
  guest.program("docker", Output{.status = 1, .err = no_engine});

  CHECK_THAT(must(docker_of_running(guest)).absent, Catch::Contains("Cannot connect"));
}

TEST_CASE("places: a stopped container's Docker is read below its own root", "[agent][docker]") {
  SimHost host;
  add_container(host, "stopped");
  const std::string root = stopped_root;
  host.file(root + "/etc/docker/daemon.json", R"({"data-root": "/srv/docker"})");
  host.file(root + "/srv/docker/containers/a1/config.v2.json", R"({"ID": "a1", "Name": "/x"})");

  const auto view = must(docker_of_container(host));

  REQUIRE(view.containers.size() == 1);
  CHECK(view.containers[0].name == "x");
}

TEST_CASE("places: a stopped container's Docker that cannot be looked at is an error",
          "[agent][docker]") {
  SimHost host;
  add_container(host, "stopped");
  const std::string root = stopped_root;
  host.directory(root + "/etc");
  SECTION("daemon.json is no JSON") { host.file(root + "/etc/docker/daemon.json", "{"); }
  SECTION("its root is not there") {
    host.file(root + "/etc/docker/daemon.json", R"({"graph": "/srv/docker"})");
  }
  SECTION("the usual root is not there") { host.file(root + "/usr/bin/dockerd", ""); }

  CHECK_FALSE(docker_of_container(host));
}

TEST_CASE("places: a stopped container without Docker has none", "[agent][docker]") {
  SimHost host;
  add_container(host, "stopped");
  host.directory(std::string(stopped_root) + "/etc");

  CHECK(must(docker_of_container(host)).absent == "no Docker containers in it");
}

}  // namespace relab::agent
