// Probes of the real task kinds over a simulated lab.

#include "agent/host/sim/network/reachability.h"

#include <tuple>

#include "agent/kinds/carry_out.h"
#include "tests/support/must.h"

namespace relab::agent::sim {

namespace {

constexpr std::uint16_t agents_vlan = 60;

/// A host in VLAN 10 that listens on 22 and 8006, a name server and Jellyfin in VLAN 20, an agent
/// and its neighbour in VLAN 60, and a guest that is stopped.
constexpr auto world_json = R"({"host": "z640",
  "network": {
    "interfaces": [{"name": "vmbr0.10", "kind": "vlan", "vlan": 10, "up": true}],
    "addresses": [{"interface": "vmbr0.10", "address": "10.42.10.2", "prefix": 24, "scope": "global"}],
    "nameservers": [{"address": "10.42.20.53", "file": "/etc/resolv.conf"}],
    "hosts": [{"address": "10.42.20.5", "names": "media.lab media"}],
    "routes": [{"family": "ip", "table": "main", "type": "unicast", "destination": "default",
                "gateway": "10.42.10.1", "interface": "vmbr0.10"},
               {"family": "ip", "table": "main", "type": "unicast", "destination": "10.42.10.0/24",
                "interface": "vmbr0.10", "protocol": "kernel", "source": "10.42.10.2"}]},
  "services": {"sockets": [
    {"protocol": "tcp", "address": "0.0.0.0", "port": 22, "cgroup": "/system.slice/ssh.service"},
    {"protocol": "tcp6", "address": "::", "port": 8006},
    {"protocol": "tcp", "address": "127.0.0.1", "port": 25}]},
  "guests": {
    "guests": [{"vmid": 120, "name": "media", "state": "running"},
               {"vmid": 121, "name": "dns", "state": "running"},
               {"vmid": 160, "name": "agent", "state": "running"},
               {"vmid": 161, "name": "other", "state": "running"},
               {"vmid": 122, "name": "asleep", "state": "stopped"},
               {"vmid": 123, "name": "leased", "state": "running"}],
    "networks": [
      {"vmid": 120, "tag": 20, "ip": "10.42.20.5/24", "gateway": "10.42.20.1"},
      {"vmid": 121, "tag": 20, "ip": "10.42.20.53/24", "gateway": "10.42.20.1"},
      {"vmid": 160, "tag": 60, "ip": "10.42.60.5/24", "gateway": "10.42.60.1"},
      {"vmid": 161, "tag": 60, "ip": "10.42.60.6/24", "gateway": "10.42.60.1"},
      {"vmid": 122, "tag": 20, "ip": "10.42.20.7/24", "gateway": "10.42.20.1"},
      {"vmid": 123, "tag": 20, "ip": "dhcp"}]}})";

constexpr auto certificate = "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n";

struct Lab {
  Lab()
      : world(must(Message<schema::World>::from_json(world_json))),
        network(host, world.reader()),
        services(host, world.reader()),
        reachability(host, world.reader(), network, services) {
    host.strict({});
    reachability.isolate(agents_vlan);
    const auto web = [](const std::string& path) {
      return path == "/health" ? HttpAnswer{.body = "Healthy\n"} : HttpAnswer{.status = 404};
    };
    reachability.find("media")->servers = {
        {8096, {.http = web}}, {443, {.http = web, .certificates = certificate}}, {7000, {}}};
    reachability.find("dns")->names = {{"media.example", "A", "10.42.20.5"},
                                       {"www.example", "CNAME", "media.example"},
                                       {"media.example", "TXT", "hello world"}};
    reachability.find("other")->servers = {{80, {.http = web}}};
    reachability.attach(agent, "agent");
  }

  static Work probe(Host& from, const std::string& task) {
    Draft<schema::Order> order;
    order->setMode(schema::Mode::APPLY);
    order->setTask(must(Message<schema::Task>::from_json(task)).reader());
    return carry_out(order->asReader(), {.host = from, .rescue = from},
                     [](const auto& /*facts*/) { return Result<void>(); });
  }
  static bool is_met(const Work& work) { return work.outcome == schema::Outcome::SUCCEEDED; }
  static Reach reach(Host& from, const std::string& address, std::uint16_t port) {
    return must(from.connect({.address = address, .port = port}, Millis(5000))).reach;
  }

  SimHost host;
  SimHost agent;
  Message<schema::World> world;
  Network network;
  Services services;
  Reachability reachability;
};

std::string http(const std::string& url, const std::string& more = {}) {
  return R"({"httpProbe": {"url": ")" + url + "\"" + more + "}}";
}

std::string dns(const std::string& name, const std::string& more) {
  return R"({"dnsProbe": {"server": "10.42.20.53", "name": ")" + name + "\"" + more + "}}";
}

}  // namespace

TEST_CASE("reachability: only what listens is open", "[sim][network]") {
  Lab lab;
  using Row = std::tuple<std::string, std::uint16_t, Reach>;
  const auto [address, port, reach] = GENERATE(table<std::string, std::uint16_t, Reach>({
      Row{"10.42.20.5", 8096, Reach::open},
      Row{"10.42.20.5", 8097, Reach::refused},
      Row{"10.42.20.7", 22, Reach::unreachable},
      Row{"10.42.20.99", 22, Reach::unreachable},
      Row{"10.42.10.99", 22, Reach::unreachable},
      Row{"192.0.2.1", 443, Reach::silent},
      Row{"10.42.60.6", 80, Reach::open},
      Row{"10.42.10.2", 22, Reach::open},
      Row{"10.42.10.2", 8006, Reach::open},
      Row{"10.42.10.2", 25, Reach::refused},
      Row{"127.0.0.1", 25, Reach::open},
      Row{"2001:db8::1", 80, Reach::no_network},
  }));

  CHECK(Lab::reach(lab.host, address, port) == reach);
}

TEST_CASE("reachability: nothing leaves an isolated VLAN, and all goes on within it",
          "[sim][network]") {
  Lab lab;

  CHECK(Lab::reach(lab.agent, "10.42.60.6", 80) == Reach::open);
  CHECK(Lab::reach(lab.agent, "10.42.60.6", 81) == Reach::refused);
  CHECK(Lab::reach(lab.agent, "10.42.20.5", 8096) == Reach::silent);
  CHECK(Lab::reach(lab.agent, "10.42.10.2", 22) == Reach::silent);
  CHECK(Lab::reach(lab.agent, "192.0.2.1", 443) == Reach::silent);
  lab.reachability.let(agents_vlan, "10.42.20.5", 8096);
  CHECK(Lab::reach(lab.agent, "10.42.20.5", 8096) == Reach::open);
}

TEST_CASE("reachability: an isolation is proven by the real probe", "[sim][network]") {
  Lab lab;

  const auto work = Lab::probe(
      lab.agent, R"({"tcpProbe": {"address": "10.42.10.2", "port": 22, "expect": "blocked",
                                  "control": "10.42.60.6", "controlPort": 80}})");

  CHECK(Lab::is_met(work));
}

TEST_CASE("reachability: guests and units that come and go are followed", "[sim][network]") {
  Lab lab;

  lab.reachability.find("media")->is_up = false;
  CHECK(Lab::reach(lab.host, "10.42.20.5", 8096) == Reach::unreachable);
  lab.services.sockets().stop("ssh.service");
  CHECK(Lab::reach(lab.host, "10.42.10.2", 22) == Reach::refused);
  must(lab.network.wiring().remove_address("vmbr0.10", "10.42.10.2", 24));
  CHECK(Lab::reach(lab.host, "10.42.20.5", 8096) == Reach::no_network);
}

TEST_CASE("reachability: a guest that is made has what its configuration says", "[sim][network]") {
  Lab lab;
  const auto attachment =
      attachment_of("name=eth0,bridge=vmbr0,gw=10.42.20.1,ip=10.42.20.8/24,tag=20,type=veth");
  REQUIRE(attachment);
  CHECK(Lab::reach(lab.host, "10.42.20.8", 80) == Reach::unreachable);

  lab.reachability.add(
      "made", {.vmid = 150, .attachments = [attachment] { return std::vector{*attachment}; }});

  CHECK(Lab::reach(lab.host, "10.42.20.8", 80) == Reach::refused);
  lab.reachability.find_guest(150)->servers[80] = {};
  CHECK(Lab::reach(lab.host, "10.42.20.8", 80) == Reach::open);
  CHECK_FALSE(attachment_of("name=eth0,bridge=vmbr0,ip=dhcp"));
  CHECK_FALSE(attachment_of("name=eth0,ip=10.0.0.1/24,link_down=1"));
  CHECK(lab.reachability.find_guest(120) == lab.reachability.find("media"));
}

TEST_CASE("reachability: a machine's own filter lets packets fall", "[sim][network]") {
  Lab lab;
  lab.reachability.find("other")->is_dropped = [](const Attachment& from, std::uint16_t port) {
    return from.vlan != agents_vlan && port == 80;
  };

  CHECK(Lab::reach(lab.host, "10.42.60.6", 80) == Reach::silent);
  CHECK(Lab::reach(lab.agent, "10.42.60.6", 80) == Reach::open);
}

TEST_CASE("reachability: http probes get what the server says", "[sim][network]") {
  Lab lab;

  CHECK(Lab::is_met(
      Lab::probe(lab.host, http("http://10.42.20.5:8096/health", R"(, "text": "Healthy")"))));
  CHECK(Lab::is_met(Lab::probe(lab.host, http("http://media:8096/health"))));
  CHECK(Lab::is_met(Lab::probe(lab.host, http("http://www.example:8096/health"))));
  CHECK(Lab::is_met(Lab::probe(lab.host, http("http://media:8096/", R"(, "status": 404)"))));
}

TEST_CASE("reachability: an http probe that fails has curl's own words", "[sim][network]") {
  Lab lab;
  const auto [url, words] = GENERATE(table<std::string, std::string>({
      {"http://10.42.20.5:1/", "Failed to connect to 10.42.20.5 port 1"},
      {"http://nobody.example/", "Could not resolve host: nobody.example"},
      {"http://192.0.2.1/", "Connection timed out after 10000 milliseconds"},
      {"https://10.42.20.5:8096/", "wrong version number"},
      {"http://10.42.20.5:443/", "Empty reply from server"},
      {"http://10.42.20.5:7000/", "Empty reply from server"},
      {"https://10.42.20.5/health", "SSL certificate problem"},
  }));

  const auto work = Lab::probe(lab.host, http(url));

  CHECK(work.failure.fault == Fault::unreachable);
  CHECK_THAT(work.failure.what, Catch::Contains(words));
}

TEST_CASE("reachability: certificates are verified", "[sim][network]") {
  Lab lab;
  const std::string url = "https://10.42.20.5/health";
  const auto* const authority = R"(, "authority": "/etc/ssl/lab.pem")";
  const auto* const fingerprint =
      R"(, "fingerprint": "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD")";

  CHECK_FALSE(Lab::is_met(Lab::probe(lab.host, http(url, authority))));
  lab.host.file("/etc/ssl/lab.pem",
                "-----BEGIN CERTIFICATE-----\nYWJk\n-----END CERTIFICATE-----\n");
  CHECK_FALSE(Lab::is_met(Lab::probe(lab.host, http(url, authority))));
  lab.host.file("/etc/ssl/lab.pem", certificate);
  CHECK(Lab::is_met(Lab::probe(lab.host, http(url, authority))));
  CHECK(Lab::is_met(Lab::probe(lab.host, http(url, fingerprint))));
  lab.reachability.find("media")->servers[443].is_trusted = true;
  CHECK(Lab::is_met(Lab::probe(lab.host, http(url))));
}

TEST_CASE("reachability: of what answers there nothing is made up", "[sim][network]") {
  Lab lab;

  const auto work = Lab::probe(lab.host, http("https://10.42.10.2:8006/"));

  CHECK(work.failure.fault == Fault::unsupported);
  CHECK(lab.host.unknown().size() == 1);
}

TEST_CASE("reachability: dns probes get what the server has", "[sim][network]") {
  Lab lab;

  CHECK(Lab::is_met(Lab::probe(lab.host, dns("media.example", R"(, "expected": ["10.42.20.5"])"))));
  CHECK(Lab::is_met(Lab::probe(lab.host, dns("WWW.example", R"(, "expected": ["10.42.20.5"])"))));
  CHECK(Lab::is_met(Lab::probe(
      lab.host, dns("www.example", R"(, "type": "cname", "expected": ["media.example"])"))));
  CHECK(Lab::is_met(Lab::probe(
      lab.host, dns("media.example", R"(, "type": "txt", "expected": ["hello world"])"))));
  CHECK(Lab::is_met(Lab::probe(
      lab.host, dns("10.42.20.5", R"(, "type": "ptr", "expected": ["media.example"])"))));
  CHECK(Lab::is_met(Lab::probe(lab.host, dns("blocked.example", R"(, "none": true)"))));
  CHECK_FALSE(Lab::is_met(Lab::probe(lab.host, dns("media.example", R"(, "none": true)"))));
}

TEST_CASE("reachability: a name server that does not answer is no denial", "[sim][network]") {
  Lab lab;
  using Row = std::tuple<void (*)(Lab&), std::string>;
  const auto [happens, words] = GENERATE(table<void (*)(Lab&), std::string>({
      Row{[](Lab& of) { of.reachability.find("dns")->names.reset(); }, "connection refused"},
      Row{[](Lab& of) {
            of.reachability.find("dns")->is_dropped = [](const auto&, auto) { return true; };
          },
          "timed out"},
      Row{[](Lab& of) { of.reachability.remove("dns"); }, "timed out"},
      Row{[](Lab& of) { must(of.network.wiring().remove_address("vmbr0.10", "10.42.10.2", 24)); },
          "no servers could be reached"},
  }));
  happens(lab);

  const auto work = Lab::probe(lab.host, dns("x.example", R"(, "none": true)"));

  CHECK(work.failure.fault == Fault::unreachable);
  CHECK_THAT(work.failure.what, Catch::Contains(words));
}

TEST_CASE("reachability: other lines of dig and curl are not simulated", "[sim][network]") {
  Lab lab;
  const auto argv =
      GENERATE(std::vector<std::string>{"dig", "media.example"},
               std::vector<std::string>{"curl", "http://10.42.20.5:8096/"},
               std::vector<std::string>{"curl", "--upload-file", "x", "--", "http://x/"});

  CHECK(lab.host.run({.argv = argv}).error().fault == Fault::unsupported);
}

}  // namespace relab::agent::sim
