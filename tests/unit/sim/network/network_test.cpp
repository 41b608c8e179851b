#include "agent/host/sim/network/network.h"

#include <algorithm>
#include <sstream>

#include "agent/host/sim/network/network_files.h"
#include "agent/kinds/network/audit.h"
#include "agent/kinds/network/ip_addresses.h"
#include "tests/support/must.h"
#include "tests/support/sample.h"

namespace relab::agent::sim {

namespace {

using network::AuditNetwork;
using network::IpAddresses;
using Texts = std::vector<std::string>;

const std::string links =
    R"([{"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"operstate":"UNKNOWN","address":"00:00:00:00:00:00",
         "addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host"},{"family":"inet6","local":"::1","prefixlen":128,"scope":"host"}]},
        {"ifname":"eno1","flags":["UP"],"mtu":1500,"operstate":"UP","master":"vmbr0","address":"aa:bb:cc:00:00:01","addr_info":[]},
        {"ifname":"bond0","flags":[],"mtu":1500,"operstate":"DOWN","linkinfo":{"info_kind":"bond","info_data":{"mode":"802.3ad"}}},
        {"ifname":"vmbr0","flags":["UP"],"mtu":1500,"operstate":"UP","linkinfo":{"info_kind":"bridge","info_data":{"vlan_filtering":1}}},
        {"ifname":"vmbr0.10","link":"vmbr0","flags":["UP"],"mtu":1500,"operstate":"UP","linkinfo":{"info_kind":"vlan","info_data":{"id":10}},
         "addr_info":[{"family":"inet","local":"10.42.10.2","prefixlen":24,"scope":"global"},
                      {"family":"inet","local":"10.42.10.9","prefixlen":24,"scope":"global","dynamic":true},
                      {"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link"}]},
        {"ifname":"veth112i0","flags":["UP"],"master":"vmbr0","linkinfo":{"info_kind":"veth"}}])";

/// A Proxmox host, as recorded.
void recorded(SimHost& host) {
  host.answer("ip -json -details address", {.out = links});
  host.answer(
      "ip -json -4 route show table all",
      {.out =
           R"([{"dst":"default","gateway":"10.42.10.1","dev":"vmbr0.10","protocol":"static","flags":["onlink"]},
               {"dst":"10.42.10.0/24","dev":"vmbr0.10","protocol":"kernel","scope":"link","prefsrc":"10.42.10.2","flags":[]},
               {"type":"blackhole","dst":"10.0.0.0/8","metric":20,"flags":[]},
               {"dst":"10.7.0.0/16","table":"100","nexthops":[{"gateway":"10.42.10.3","dev":"vmbr0.10"},{"gateway":"10.42.10.4","dev":"vmbr0.10"}]},
               {"dst":"10.8.0.0/16","via":{"family":"inet6","host":"fe80::2"},"dev":"eno1"}])"});
  host.answer(
      "ip -json -6 route show table all",
      {.out =
           R"([{"dst":"fe80::/64","dev":"vmbr0.10","protocol":"kernel","metric":256,"flags":[],"pref":"medium"}])"});
  host.answer(
      "ip -json -4 rule",
      {.out =
           R"([{"priority":0,"src":"all","table":"local"},{"priority":9,"not":null,"src":"10.0.0.0","srclen":8,"fwmark":"0xca6c","table":"51820"}])"});
  host.answer("ip -json -6 rule", {.out = R"([{"priority":0,"src":"all","table":"local"}])"});
  host.answer(
      "bridge -json -compressvlans vlan show",
      {.out =
           R"([{"ifname":"eno1","vlans":[{"vlan":1,"flags":["PVID","Egress Untagged"]},{"vlan":10},{"vlan":20,"vlanEnd":30}]},
               {"ifname":"veth112i0","vlans":[{"vlan":60,"flags":["PVID","Egress Untagged"]}]}])"});
  host.answer("nft --json list ruleset", {.out = sample("firewall/nft-list-ruleset.json")});
  host.file("/proc/net/ip_tables_names", "filter\nnat\n");
  host.answer("iptables-legacy-save",
              {.out = "*filter\n:INPUT DROP [0:0]\n:DOCKER - [0:0]\n-A INPUT -i lo -j ACCEPT\n"
                      "-A DOCKER -j RETURN\nCOMMIT\n*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n"});
  host.directory("/proc/sys/net/ipv6");
  host.file("/proc/sys/net/ipv4/ip_forward", "1\n");
  host.file("/proc/sys/net/bridge/bridge-nf-call-iptables", "1\n");
  host.file("/proc/sys/kernel/hostname", "pve\n");
  host.file("/etc/hosts", "127.0.0.1 localhost\n10.42.10.2 pve.lab pve\n");
  host.file("/etc/resolv.conf", "search lab\nnameserver 127.0.0.53\n");
  host.file("/run/systemd/resolve/resolv.conf", "nameserver 10.42.10.53\n");
  host.file("/etc/network/interfaces", sample("pve/interfaces"));
  host.file("/etc/network/interfaces.d/lan",
            "allow-hotplug lan0\niface lan0 inet static\n\taddress 10.0.0.1\n\tnetmask 255.0.0.0\n"
            "\twpa-psk canary\n\tup echo 1; echo 2\n\tmtu 9000\n");
  host.file("/etc/network/interfaces.new", "auto lo\n");
  host.file("/etc/pve/.version", "{}");
  host.file("/etc/pve/firewall/cluster.fw", sample("pve/cluster.fw"));
  host.file("/etc/pve/firewall/112.fw", sample("pve/112.fw") + "|IN ACCEPT -p tcp\n");
  host.file("/etc/pve/nodes/pve/host.fw", sample("pve/host.fw"));
  host.link("/etc/pve/local", "nodes/pve");
  host.answer("pve-firewall status", {.out = sample("pve/pve-firewall-status.txt")});
  host.answer("wg show all dump",
              {.out = sample("wireguard/wg-show-all-dump.linux-hub-two-peers.tsv")});
  host.answer("ufw status verbose",
              {.out = "Status: active\nLogging: on (low)\nDefault: deny (incoming), allow "
                      "(outgoing), disabled (routed)\nNew profiles: skip\n\n"
                      "To                         Action      From\n"
                      "--                         ------      ----\n"
                      "22/tcp                     ALLOW IN    10.42.10.0/24\n\n"});
}

Message<AuditNetwork::Facts> audit(SimHost& host) {
  const auto params = must(Message<schema::AuditNetwork>::from_json("{}"));
  return must(AuditNetwork::observe(params.reader(), host));
}

Message<schema::World> world_of(const Message<AuditNetwork::Facts>& facts) {
  Draft<schema::World> world;
  world->setNetwork(facts.reader());
  return std::move(world).finish();
}

Message<AuditNetwork::Facts> recorded_facts() {
  SimHost host;
  recorded(host);
  return audit(host);
}

/// A machine made of what the audit has found on a recorded one.
struct Machine {
  Machine() : facts(recorded_facts()), world(world_of(facts)), part(host, world.reader()) {
    host.strict({});
  }
  Result<void> apply(const std::string& wish) {
    const auto params = must(Message<schema::IpAddresses>::from_json(
        R"({"interface": "vmbr0.10", "addresses": [)" + wish + "]}"));
    RELAB_TRY(const auto seen, IpAddresses::observe(params.reader(), host));
    RELAB_TRY(const auto changes, IpAddresses::plan(params.reader(), seen.reader()));
    for (const auto& change : changes) RELAB_CHECK(IpAddresses::apply(change, host));
    RELAB_TRY(const auto now, IpAddresses::observe(params.reader(), host));
    RELAB_TRY(const auto left, IpAddresses::plan(params.reader(), now.reader()));
    return left.empty() ? Result<void>() : fail(Fault::damaged, "there is something left to do");
  }
  Texts cidrs() const {
    Texts texts;
    for (const auto& address : part.wiring().link("vmbr0.10")->addresses)
      if (address.is_ipv4()) texts.push_back(address.local);
    return texts;
  }
  Output run(Texts argv) { return must(host.run({.argv = std::move(argv)})); }

  Message<AuditNetwork::Facts> facts;
  Message<schema::World> world;
  SimHost host;
  Network part;
};

}  // namespace

TEST_CASE("simulated network: an audit finds again what it was made of", "[sim][network]") {
  Machine machine;

  const auto again = audit(machine.host);

  REQUIRE(machine.facts.reader().getCoverage().getProblems().size() == 0);
  CHECK(again.to_json() == machine.facts.to_json());
  CHECK(machine.host.unknown().empty());
}

TEST_CASE("simulated network: what is absent stays absent", "[sim][network]") {
  SimHost bare;
  bare.answer("ip -json -details address", {.out = R"([{"ifname":"lo","flags":["UP"]}])"});
  bare.answer("ip -json -4 route show table all", {.out = "[]"});
  bare.answer("ip -json -4 rule", {.out = "[]"});
  bare.file("/proc/sys/kernel/hostname", "pve\n");
  bare.file("/etc/hosts", "127.0.0.1 localhost\n");
  const auto facts = audit(bare);
  const auto world = world_of(facts);
  SimHost host;
  host.strict({});
  const Network part(host, world.reader());

  const auto again = audit(host);

  CHECK(facts.reader().getCoverage().getParts().size() == 10);
  CHECK(again.to_json() == facts.to_json());
  CHECK(host.unknown().empty());
}

TEST_CASE("simulated network: without nft it is iptables that tells", "[sim][network]") {
  SimHost older;
  recorded(older);
  older.forget_answers("nft");
  older.answer("iptables-save", {.out = "*filter\n:INPUT DROP [0:0]\n-A INPUT -j DROP\nCOMMIT\n"});
  older.answer("ip6tables-save", {});
  const auto facts = audit(older);
  const auto world = world_of(facts);
  SimHost host;
  host.strict({});
  const Network part(host, world.reader());

  CHECK(audit(host).to_json() == facts.to_json());
}

TEST_CASE("simulated network: rules that are not told are counted again", "[sim][network]") {
  SimHost full;
  recorded(full);
  std::string rules = "-A INPUT -m comment --comment " + std::string(1000, 'x') + " -j DROP\n";
  for (int i = 0; i < 1005; ++i) rules += "-A INPUT -j ACCEPT\n";
  full.answer("iptables-legacy-save", {.out = "*filter\n:INPUT DROP [0:0]\n" + rules + "COMMIT\n"});
  const auto facts = audit(full);
  const auto world = world_of(facts);
  SimHost host;
  const Network part(host, world.reader());

  REQUIRE(facts.reader().getCoverage().getProblems().size() == 2);
  CHECK(audit(host).to_json() == facts.to_json());
}

TEST_CASE("simulated network: lines without a number follow each other", "[sim][network]") {
  const auto facts = must(Message<AuditNetwork::Facts>::from_json(
      R"({"configured": [{"file": "f", "name": "lo", "start": "auto"},
                         {"file": "f", "name": "x", "line": 4000000000, "options": "mtu 9000"}]})"));

  CHECK(interfaces_text(facts.reader(), "f") == "auto lo\niface lo\niface x\n\tmtu 9000\n");
}

TEST_CASE("simulated network: an address takes others and routes along, as in the kernel",
          "[sim][network]") {
  Machine machine;
  CHECK(machine.run({"ip", "-4", "address", "add", "10.42.10.7/24", "dev", "vmbr0.10"}).status ==
        0);

  CHECK(machine.run({"ip", "-4", "address", "del", "10.42.10.2/24", "dev", "vmbr0.10"}).status ==
        0);

  CHECK(machine.cidrs().empty());
  const auto routes =
      machine.run({"ip", "-json", "-4", "route", "show", "table", "all", "dev", "vmbr0.10"});
  CHECK(routes.out == "[]\n");
}

TEST_CASE("simulated network: addresses are changed by the real task kind", "[sim][network]") {
  Machine machine;

  must(machine.apply(R"("10.42.10.2/24", "10.42.10.9/24", "10.42.20.2/24")"));

  CHECK(machine.cidrs() == Texts{"10.42.10.2", "10.42.20.2", "10.42.10.9"});
  const auto& routes = machine.part.wiring().routes();
  CHECK(routes.back().told.destination == "10.42.20.0/24");
}

TEST_CASE("simulated network: the default route outlives a change of the address",
          "[sim][network]") {
  Machine machine;
  CHECK(machine.run({"ip", "-4", "address", "del", "10.42.10.9/24", "dev", "vmbr0.10"}).status ==
        0);

  must(machine.apply(R"("10.42.10.5/24")"));

  CHECK(machine.cidrs() == Texts{"10.42.10.5"});
  CHECK(std::ranges::any_of(machine.part.wiring().routes(), [](const auto& route) {
    return route.told.destination == "default" && route.told.gateway == "10.42.10.1";
  }));
}

TEST_CASE("simulated network: what is not confirmed is taken back by the real task kind",
          "[sim][network]") {
  Machine machine;
  const auto params = must(Message<schema::IpAddresses>::from_json(
      R"({"interface": "vmbr0.10", "addresses": ["10.42.10.9/24", "10.42.10.5/24"]})"));
  const auto before = must(IpAddresses::observe(params.reader(), machine.host));
  must(machine.apply(R"("10.42.10.9/24", "10.42.10.5/24")"));
  CHECK(machine.cidrs() == Texts{"10.42.10.9", "10.42.10.5"});
  const auto after = must(IpAddresses::observe(params.reader(), machine.host));

  for (const auto& change : IpAddresses::revert(params.reader(), before.reader(), after.reader()))
    must(IpAddresses::apply(change, machine.host));

  const auto now = must(IpAddresses::observe(params.reader(), machine.host));
  CHECK(now.reader().getRoutes().size() == before.reader().getRoutes().size());
  auto cidrs = machine.cidrs();
  std::ranges::sort(cidrs);
  CHECK(cidrs == Texts{"10.42.10.2", "10.42.10.9"});
}

TEST_CASE("simulated network: what the kernel refuses is refused in its words", "[sim][network]") {
  Machine machine;
  const auto [argv, words] = GENERATE(table<std::string, std::string>({
      {"address add 10.42.10.2/24 dev vmbr0.10", "Error: ipv4: Address already assigned.\n"},
      {"address del 10.42.10.3/24 dev vmbr0.10", "Error: ipv4: Address not found.\n"},
      {"route replace 10.9.0.0/16 via 10.99.0.1 dev vmbr0.10",
       "Error: Nexthop has invalid gateway.\n"},
      {"route replace 10.9.0.0/16 src 10.99.0.1 dev vmbr0.10", "Error: Invalid prefsrc address.\n"},
      {"route replace 10.9.0.0/16 dev bond0", "Error: Device for nexthop is not up.\n"},
  }));
  Texts line = {"ip", "-4"};
  std::istringstream text(argv);
  for (std::string word; text >> word;) line.push_back(word);

  const auto output = machine.run(line);

  CHECK(output.status == 2);
  CHECK(output.err == words);
}

TEST_CASE("simulated network: what it does not know is no success", "[sim][network]") {
  Machine machine;
  const auto argv =
      GENERATE(Texts{"ip", "link", "set", "vmbr0", "down"}, Texts{"ip", "address"},
               Texts{"ip", "-4", "address", "add", "10.0.0.1/24", "metric", "1", "dev", "vmbr0"},
               Texts{"ip", "-4", "route", "replace", "10.0.0.0/8", "mtu", "1400", "dev", "vmbr0"},
               Texts{"bridge", "link"}, Texts{"wg", "set"}, Texts{"nft", "-f", "-"},
               Texts{"ufw", "enable"}, Texts{"pve-firewall", "stop"});

  const auto output = machine.host.run({.argv = argv});

  REQUIRE_FALSE(output);
  CHECK(output.error().fault == Fault::unsupported);
  CHECK(machine.host.unknown().size() == 1);
}

TEST_CASE("simulated network: an interface that is not there is missing", "[sim][network]") {
  Machine machine;
  const auto wish = must(Message<schema::IpAddresses>::from_json(
      R"({"interface": "x", "addresses": ["10.0.0.1/8"]})"));

  CHECK(IpAddresses::observe(wish.reader(), machine.host).error().fault == Fault::missing);
}

}  // namespace relab::agent::sim
