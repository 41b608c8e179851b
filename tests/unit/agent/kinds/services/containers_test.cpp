#include "agent/kinds/services/containers.h"

#include "agent/host/sim/sim_host.h"
#include "agent/kinds/services/audit.h"
#include "tests/support/must.h"

namespace relab::agent::services {

namespace {

const std::string inspected = R"([{
  "Id": "aa11", "Name": "/sonarr", "Image": "sha256:77",
  "State": {"Status": "running", "Health": {"Status": "healthy"}, "ExitCode": 0},
  "HostConfig": {"RestartPolicy": {"Name": "unless-stopped"}, "NetworkMode": "arr_default"},
  "Mounts": [{"Type": "bind", "Source": "/tank/media", "Destination": "/media", "RW": true}],
  "Config": {"Image": "sonarr:latest", "Env": ["API_KEY=canary-4711"],
    "Labels": {"com.docker.compose.project": "arr", "com.docker.compose.service": "sonarr",
               "com.docker.compose.project.working_dir": "/opt/arr",
               "com.docker.compose.project.config_files": "/opt/arr/compose.yaml,/opt/arr/gpu.yaml"}},
  "NetworkSettings": {"Ports": {"8989/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8989"}]}}
}])";

DockerContainer container(std::string state, std::string files) {
  DockerContainer container;
  container.state = std::move(state);
  container.labels["com.docker.compose.project"] = "arr";
  container.labels["com.docker.compose.project.config_files"] = std::move(files);
  return container;
}

void machine(SimHost& host) {
  host.file("/proc/1/status", "Name:\tsh\nPPid:\t0\nUid:\t0\t0\n");
  host.file("/proc/1/cgroup", "0::/\n");
  host.file("/proc/1/comm", "sh\n");
  host.directory("/proc/1/fd");
  for (const auto* table : {"tcp", "tcp6", "udp", "udp6"})
    host.file(Path("/proc/net") / table, "  sl  local_address\n");
}

Message<schema::AuditServices::Facts> observe(SimHost& host) {
  const auto params = must(Message<schema::AuditServices>::from_json("{}"));
  return must(AuditServices::observe(params.reader(), host));
}

}  // namespace

TEST_CASE("containers: a compose project is the sum of its containers", "[agent][services]") {
  const auto one = container("running", "/a.yaml");
  const auto two = container("exited", "/a.yaml,/b.yaml");
  DockerContainer alone;
  alone.state = "running";

  const auto projects = compose_projects({one, two, alone});

  REQUIRE(projects.size() == 1);
  CHECK(projects[0].containers == 2);
  CHECK(projects[0].running == 1);
  CHECK(projects[0].files == std::vector<std::string>{"/a.yaml", "/b.yaml"});
}

TEST_CASE("containers audit: containers, ports, mounts and projects are told, secrets are not",
          "[agent][services]") {
  SimHost host;
  machine(host);
  host.answer("docker ps --all --quiet --no-trunc", {.out = "aa11\n"});
  host.answer("docker inspect --type container aa11", {.out = inspected});

  const auto message = observe(host);

  const auto facts = message.reader();
  REQUIRE(facts.getContainers().size() == 1);
  const auto sonarr = facts.getContainers()[0];
  CHECK(view(sonarr.getName()) == "sonarr");
  CHECK(view(sonarr.getHealth()) == "healthy");
  CHECK(sonarr.getExitCode() == -1);
  CHECK(view(sonarr.getProject()) == "arr");
  REQUIRE(facts.getPorts().size() == 1);
  CHECK(facts.getPorts()[0].getOutside() == 8989);
  REQUIRE(facts.getMounts().size() == 1);
  CHECK(facts.getMounts()[0].getWritable());
  REQUIRE(facts.getComposeProjects().size() == 1);
  CHECK(facts.getComposeProjects()[0].getFiles().size() == 2);
  CHECK(message.to_json().find("canary-4711") == std::string::npos);
}

TEST_CASE("containers audit: no docker is an absent part", "[agent][services]") {
  SimHost host;
  machine(host);

  const auto message = observe(host);

  const auto coverage = message.reader().getCoverage();
  REQUIRE(coverage.getParts().size() == 2);
  CHECK(view(coverage.getParts()[1].getPart()) == "Docker");
  CHECK(coverage.getProblems().size() == 0);
}

TEST_CASE("containers audit: an engine that is down over existing containers is a problem",
          "[agent][services]") {
  SimHost host;
  machine(host);
  host.directory("/var/lib/docker/containers/aa11");
  host.program("docker", Output{.status = 1,
                                .err = "Cannot connect to the Docker daemon at "
                                       "unix:///var/run/docker.sock. Is the docker daemon "
                                       "running?\n"});

  const auto message = observe(host);

  REQUIRE(message.reader().getCoverage().getProblems().size() == 1);
  CHECK(view(message.reader().getCoverage().getProblems()[0].getPart()) == "Docker");
}

}  // namespace relab::agent::services
