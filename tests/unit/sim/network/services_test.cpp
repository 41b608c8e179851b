#include "agent/host/sim/network/services.h"

#include "agent/kinds/services/audit.h"
#include "tests/support/must.h"

namespace relab::agent::sim {

namespace {

using services::AuditServices;

const std::string head =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n";
const std::string rest = " 1 0000000000000000 100 0 0 10 0\n";
const std::string zeros = " 00000000:00000000 00:00000000 00000000 ";

const std::string inspected = R"([{
  "Id": "aa11", "Name": "/sonarr", "Image": "sha256:77",
  "State": {"Status": "running", "Health": {"Status": "healthy"}, "ExitCode": 0},
  "HostConfig": {"RestartPolicy": {"Name": "unless-stopped"}, "NetworkMode": "arr_default"},
  "Mounts": [{"Type": "bind", "Source": "/tank/media", "Destination": "/media", "RW": true},
             {"Type": "volume", "Name": "data", "Source": "/var/lib/docker/volumes/data/_data",
              "Destination": "/data", "RW": false}],
  "Config": {"Image": "sonarr:latest", "Env": ["API_KEY=canary-4711"],
    "Labels": {"com.docker.compose.project": "arr", "com.docker.compose.service": "sonarr",
               "com.docker.compose.project.working_dir": "/opt/arr",
               "com.docker.compose.project.config_files": "/opt/arr/compose.yaml,/opt/arr/gpu.yaml"}},
  "NetworkSettings": {"Ports": {"8989/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8989"},
                                            {"HostIp": "::", "HostPort": "8989"}], "9898/tcp": null}}
}, {
  "Id": "bb22", "Name": "/old", "Image": "sha256:78",
  "State": {"Status": "exited", "ExitCode": 137},
  "HostConfig": {"RestartPolicy": {"Name": "no"}, "NetworkMode": "bridge", "Privileged": true,
                 "PortBindings": {"53/udp": [{"HostIp": "", "HostPort": "5353"}]}},
  "Config": {"Image": "old:1"}
}])";

void process(SimHost& host, const std::string& pid, const std::string& name,
             const std::string& parent) {
  host.file("/proc/" + pid + "/status",
            "Name:\t" + name + "\nPPid:\t" + parent + "\nUid:\t0\t0\t0\t0\nVmSize:\t 1 kB\n");
  host.file("/proc/" + pid + "/cgroup", "0::/system.slice/" + name + ".service\n");
  host.file("/proc/" + pid + "/comm", name + "\n");
  host.directory("/proc/" + pid + "/fd");
}

void units(SimHost& host) {
  host.answer("systemctl list-units --all --no-pager --output=json",
              {.out = R"([{"unit":"ssh.service","load":"loaded","active":"active"}])"});
  host.answer("systemctl list-unit-files --no-pager --output=json",
              {.out = R"([{"unit_file":"ssh.service","state":"enabled"}])"});
}

/// A machine as recorded, with sshd, a proxy, a tunnel of the kernel and Docker.
void recorded(SimHost& host) {
  process(host, "1", "systemd", "0");
  process(host, "700", "sshd", "1");
  process(host, "701", "pveproxy", "1");
  host.directory("/run/systemd/system");
  host.file("/etc/passwd", "root:x:0:0::/root:/bin/bash\nwww-data:x:33:33::/:/bin/false\n");
  host.link("/proc/700/fd/3", "socket:[1532]");
  host.link("/proc/701/fd/5", "socket:[1600]");
  host.link("/proc/1/fd/9", "socket:[1700]");
  host.file("/proc/net/tcp",
            head + "   0: 00000000:0016 00000000:0000 0A" + zeros + "    0        0 1532" + rest +
                "   1: 0100007F:1F90 00000000:0000 0A" + zeros + "   33        0 1600" + rest +
                "   2: 0100007F:1F91 00000000:0000 0A" + zeros + " 1234        0 1700" + rest);
  host.file("/proc/net/tcp6", head +
                                  "   0: 00000000000000000000000001000000:0016 "
                                  "00000000000000000000000000000000:0000 0A" +
                                  zeros + "    0        0 1532" + rest);
  host.file("/proc/net/udp",
            head + "   0: 00000000:CA6C 00000000:0000 07" + zeros + "    0        0 1800" + rest);
  host.file("/proc/net/udp6", head);
  units(host);
  host.answer("docker ps --all --quiet --no-trunc", {.out = "aa11\nbb22\n"});
  host.answer("docker inspect --type container aa11 bb22", {.out = inspected});
}

Message<AuditServices::Facts> audit(SimHost& host) {
  const auto params = must(Message<schema::AuditServices>::from_json("{}"));
  return must(AuditServices::observe(params.reader(), host));
}

/// A machine made of what an audit has found on another.
struct Machine {
  explicit Machine(const Message<AuditServices::Facts>& facts)
      : world(world_of(facts)), part(host, world.reader()) {
    host.strict({});
    units(host);
  }
  static Message<schema::World> world_of(const Message<AuditServices::Facts>& facts) {
    Draft<schema::World> world;
    world->setServices(facts.reader());
    return std::move(world).finish();
  }

  Message<schema::World> world;
  SimHost host;
  Services part;
};

}  // namespace

TEST_CASE("simulated services: an audit finds again what it was made of", "[sim][services]") {
  SimHost host;
  recorded(host);
  const auto facts = audit(host);
  Machine machine(facts);

  const auto again = audit(machine.host);

  REQUIRE(facts.reader().getCoverage().getProblems().size() == 0);
  REQUIRE(facts.reader().getSockets().size() == 5);
  REQUIRE(facts.reader().getPorts().size() == 4);
  CHECK(again.to_json() == facts.to_json());
  CHECK(machine.host.unknown().empty());
}

TEST_CASE("simulated services: without systemd and Docker there are processes", "[sim][services]") {
  SimHost host;
  recorded(host);
  process(host, "1", "tini", "0");
  host.remove("/run/systemd/system");
  host.remove("/proc/net/tcp6");
  host.forget_answers("docker");
  const auto facts = audit(host);
  Machine machine(facts);

  CHECK(facts.reader().getProcesses().size() == 3);
  CHECK(audit(machine.host).to_json() == facts.to_json());
}

TEST_CASE("simulated services: a Docker that is down does not answer", "[sim][services]") {
  SimHost host;
  recorded(host);
  host.forget_answers("docker");
  host.program("docker", Output{.status = 1,
                                .err = "Cannot connect to the Docker daemon at "
                                       "unix:///var/run/docker.sock. Is the docker daemon "
                                       "running?\n"});
  const auto facts = audit(host);
  Machine machine(facts);

  CHECK(audit(machine.host).to_json() == facts.to_json());
}

TEST_CASE("simulated services: of a stopped unit nobody listens", "[sim][services]") {
  SimHost host;
  recorded(host);
  Machine machine(audit(host));
  auto& sockets = machine.part.sockets();
  CHECK(sockets.units() ==
        std::set<std::string>{"sshd.service", "pveproxy.service", "systemd.service"});
  CHECK(sockets.accepts("10.42.10.2", 22));

  sockets.stop("sshd.service");

  CHECK_FALSE(sockets.accepts("10.42.10.2", 22));
  CHECK(audit(machine.host).reader().getSockets().size() == 3);
  sockets.start("sshd.service");
  CHECK(sockets.accepts("10.42.10.2", 22));
}

TEST_CASE("simulated services: a socket answers on its own address only", "[sim][services]") {
  SimHost host;
  recorded(host);
  Machine machine(audit(host));
  auto& sockets = machine.part.sockets();

  CHECK(sockets.accepts("127.0.0.1", 8080));
  CHECK_FALSE(sockets.accepts("10.42.10.2", 8080));
  CHECK_FALSE(sockets.accepts("10.42.10.2", 51820));
  CHECK(sockets.accepts("::1", 22));
  CHECK_FALSE(sockets.accepts("::1", 8006));
  sockets.listen({.protocol = "tcp6", .address = "::", .port = 8006});
  CHECK(sockets.accepts("10.42.10.2", 8006));
}

TEST_CASE("simulated services: docker does nothing that is not simulated", "[sim][services]") {
  SimHost host;
  recorded(host);
  Machine machine(audit(host));

  CHECK(machine.host.run({.argv = {"docker", "stop", "sonarr"}}).error().fault ==
        Fault::unsupported);
  CHECK(must(machine.host.run({.argv = {"docker", "inspect", "--type", "container", "cc"}})).err ==
        "Error: No such container: cc\n");
  CHECK(machine.part.docker().find("sonarr") != nullptr);
}

}  // namespace relab::agent::sim
