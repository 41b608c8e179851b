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
  mount(host, {"/"});
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

/// Where a path of container 130 lies on this machine.
Result<Path> path_on_host(SimHost& host, const std::string& path) {
  Gaps gaps;
  const auto places = find_places(
      host, [](std::string_view) { return false; }, gaps);
  for (const auto& place : places.all)
    if (place->vmid() == 130) return place->on_host(path);
  return fail(Fault::missing, "container 130 is no place");
}

/// A container with these mounts, on a machine with a file system below /srv/media.
void add_mounts(SimHost& host, const std::string& mounts) {
  add_container(host, GENERATE("running", "stopped"));
  host.file("/etc/pve/nodes/pve/lxc/130.conf",
            "hostname: sonarr\nrootfs: local-zfs:subvol-130-disk-0,size=12G\n" + mounts);
  host.answer("pvesm path local-zfs:subvol-130-disk-0", {.out = "/rpool/subvol\n"});
  host.file("/rpool/subvol/etc/hostname", "sonarr");
  host.file("/srv/media/tv/show", "");
  host.file("/srv/media/tv2/show", "");
  mount(host, {"/", "/srv/media", "/srv/media/tv"});
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

TEST_CASE("places: a file system below a bind mount is not what the container sees",
          "[agent][places]") {
  const auto* bind = GENERATE("mp0: /srv/media,mp=/media\n",
                              "lxc.mount.entry: /srv/media media none bind,create=dir 0 0\n");
  const auto* path = GENERATE("/media/tv", "/media/tv/show");
  SimHost host;
  add_mounts(host, bind);

  const auto found = path_on_host(host, path);

  REQUIRE_FALSE(found);
  CHECK(found.error().fault == Fault::damaged);
  CHECK(found.error().what ==
        "/media/tv is on /srv/media/tv, which a bind mount of /srv/media does not show: the "
        "container sees an empty folder there");
}

TEST_CASE("places: beside such a file system a bind mount shows what is there", "[agent][places]") {
  SimHost host;
  add_mounts(host, "mp0: /srv/media,mp=/media\n");

  CHECK(must(path_on_host(host, "/media")) == "/srv/media");
  CHECK(must(path_on_host(host, "/media/tv2/show")) == "/srv/media/tv2/show");
}

TEST_CASE("places: a file system with a mount of its own, or bound along, is seen",
          "[agent][places]") {
  const auto* mounts = GENERATE("mp0: /srv/media,mp=/media\nmp1: /srv/media/tv,mp=/media/tv\n",
                                "lxc.mount.entry: /srv/media media none rbind,create=dir 0 0\n");
  SimHost host;
  add_mounts(host, mounts);

  CHECK(must(path_on_host(host, "/media/tv/show")) == "/srv/media/tv/show");
}

TEST_CASE("places: a link to a bind mount's source, or within it, hides nothing from the check",
          "[agent][places]") {
  SimHost host;
  add_mounts(host, "mp0: /media-link,mp=/media\n");
  host.link("/media-link", "/srv/media");
  host.link("/srv/media/series", "tv");

  CHECK(path_on_host(host, "/media/tv/show").error().fault == Fault::damaged);
  CHECK(path_on_host(host, "/media/series/show").error().fault == Fault::damaged);
}

TEST_CASE("places: without the table of mounts no path is told", "[agent][places]") {
  SimHost host;
  add_mounts(host, "mp0: /srv/media,mp=/media\n");
  host.remove("/proc/self/mountinfo");

  CHECK_FALSE(path_on_host(host, "/media/tv2/show"));
}

TEST_CASE("places: a stopped container without Docker has none", "[agent][docker]") {
  SimHost host;
  add_container(host, "stopped");
  host.directory(std::string(stopped_root) + "/etc");

  CHECK(must(docker_of_container(host)).absent == "no Docker containers in it");
}

}  // namespace relab::agent
