#include "agent/host/sim/sim_host.h"
#include "agent/kinds/network/audit.h"
#include "agent/kinds/network/packet_filter.h"
#include "tests/support/must.h"
#include "tests/support/sample.h"

namespace relab::agent::network {

namespace {

const std::string links =
    R"([{"ifname":"lo","flags":["UP"],"addr_info":[{"local":"127.0.0.1","prefixlen":8,"scope":"host"}]},
        {"ifname":"vmbr0","flags":["UP"],"linkinfo":{"info_kind":"bridge","info_data":{"vlan_filtering":1}}},
        {"ifname":"veth112i0","master":"vmbr0","flags":["UP"],"linkinfo":{"info_kind":"veth"}}])";

/// A machine without Proxmox, tunnels and firewalls but nft.
void bare(SimHost& host) {
  host.answer("ip -json -details address", {.out = links});
  host.answer("ip -json -4 route show table all",
              {.out = R"([{"dst":"default","gateway":"10.42.10.1","dev":"vmbr0.10"}])"});
  host.answer("ip -json -6 route show table all", {.out = "[]"});
  host.answer("ip -json -4 rule", {.out = R"([{"priority":0,"src":"all","table":"local"}])"});
  host.answer("ip -json -6 rule", {.out = "[]"});
  host.answer("bridge -json -compressvlans vlan show",
              {.out = R"([{"ifname":"veth112i0","vlans":[{"vlan":60,"flags":["PVID"]}]}])"});
  host.answer("nft --json list ruleset", {.out = sample("firewall/nft-list-ruleset.json")});
  host.directory("/proc/sys/net/ipv6");
  host.file("/proc/sys/net/ipv4/ip_forward", "1\n");
  host.file("/proc/sys/kernel/hostname", "pve\n");
  host.file("/etc/hosts", "127.0.0.1 localhost\n10.42.10.2 pve.lab pve\n");
  host.file("/etc/resolv.conf", "nameserver 10.42.10.53\n");
  host.file("/etc/network/interfaces", sample("pve/interfaces"));
}

void proxmox(SimHost& host) {
  bare(host);
  host.file("/etc/pve/.version", "{}");
  host.file("/etc/pve/firewall/cluster.fw", sample("pve/cluster.fw"));
  host.file("/etc/pve/firewall/112.fw", sample("pve/112.fw"));
  host.file("/etc/pve/nodes/pve/host.fw", sample("pve/host.fw"));
  host.link("/etc/pve/local", "nodes/pve");
  host.answer("pve-firewall status", {.out = sample("pve/pve-firewall-status.txt")});
  host.answer("wg show all dump", {.out = sample("wireguard/wg-show-all-dump.ok.t0.tsv")});
  host.answer("ufw status verbose", {.out = "Status: inactive\n"});
}

Message<schema::AuditNetwork::Facts> observe(SimHost& host) {
  const auto params = must(Message<schema::AuditNetwork>::from_json("{}"));
  return must(AuditNetwork::observe(params.reader(), host));
}

std::vector<std::string> problems(schema::AuditNetwork::Facts::Reader facts) {
  std::vector<std::string> parts;
  for (const auto problem : facts.getCoverage().getProblems())
    parts.push_back(str(problem.getPart()));
  return parts;
}

std::vector<std::string> parts(schema::AuditNetwork::Facts::Reader facts) {
  std::vector<std::string> parts;
  for (const auto part : facts.getCoverage().getParts()) parts.push_back(str(part.getPart()));
  return parts;
}

}  // namespace

TEST_CASE("network audit: a Proxmox host is told whole", "[agent][network]") {
  SimHost host;
  proxmox(host);

  const auto message = observe(host);

  const auto facts = message.reader();
  CHECK(problems(facts).empty());
  CHECK(parts(facts).empty());
  REQUIRE(facts.getInterfaces().size() == 3);
  CHECK(facts.getInterfaces()[1].getVlanFiltering());
  CHECK(facts.getInterfaces()[2].getGuest());
  REQUIRE(facts.getBridgeVlans().size() == 1);
  CHECK(facts.getBridgeVlans()[0].getNative());
  CHECK(facts.getRoutes().size() == 1);
  CHECK(facts.getConfigured().size() == 5);
  CHECK(view(facts.getConfigured()[3].getBridgeVids()) == "10 20 60");
  REQUIRE(facts.getOwnAddresses().size() == 1);
  CHECK(view(facts.getOwnAddresses()[0]) == "10.42.10.2");
  CHECK(view(facts.getProxmoxFirewall()) == "enabled/running");
  CHECK(facts.getFirewallOptions().size() == 9);
  CHECK(facts.getFirewallLines().size() == 18);
  CHECK(facts.getChains().size() == 1);
  CHECK(view(facts.getUfw()) == "inactive");
  CHECK(facts.getWireguardPeers().size() == 1);
  CHECK_FALSE(facts.getStaged());
}

TEST_CASE("network audit: keys of WireGuard never get into the facts", "[agent][network]") {
  SimHost host;
  proxmox(host);

  const auto json = observe(host).to_json();

  CHECK(json.find("UKJCvDL+WsQ9V+zHSZNdXMQL0tKiajybw9Hh2S1vZms=") == std::string::npos);
  CHECK(json.find("ItMamTTh/+R9cYWBFpNIue6UrU766Lvbl+NOhpqzyR6U=") == std::string::npos);
  CHECK(json.find("9/cK7cqYdJi0AqkL+BW25ElcKIZV4KT99H5wHaiDZmk=") != std::string::npos);
}

TEST_CASE("network audit: a wg that fails after its first line does not give away the key",
          "[agent][network]") {
  SimHost host;
  proxmox(host);
  host.answer("wg show all dump", GENERATE(Output{.status = 1, .out = "wg0\tcanary\tp\t1\toff\n"},
                                           Output{.out = "wg0\tcanary\n"},
                                           Output{.out = "wg0\tcanary", .truncated = true}));

  const auto message = observe(host);

  CHECK(problems(message.reader()) == std::vector<std::string>{"WireGuard"});
  CHECK(message.to_json().find("canary") == std::string::npos);
}

TEST_CASE("network audit: what a plain machine lacks is no problem", "[agent][network]") {
  SimHost host;
  bare(host);

  const auto message = observe(host);

  CHECK(problems(message.reader()).empty());
  CHECK(parts(message.reader()) ==
        std::vector<std::string>{"WireGuard", "ufw", "Proxmox firewall"});
}

TEST_CASE("network audit: a machine without any program still tells its files",
          "[agent][network]") {
  SimHost host;
  host.file("/proc/sys/kernel/hostname", "pve\n");
  host.file("/etc/hosts", "10.42.10.2 pve\n");

  const auto message = observe(host);

  const auto facts = message.reader();
  CHECK(problems(facts) == std::vector<std::string>{"interfaces", "VLANs of bridges", "IPv4 routes",
                                                    "IPv4 rules", "WireGuard"});
  CHECK(facts.getOwnAddresses().size() == 1);
}

TEST_CASE("network audit: a tunnel without wg is a problem", "[agent][network]") {
  SimHost host;
  bare(host);
  host.answer("ip -json -details address",
              {.out = R"([{"ifname":"wg0","linkinfo":{"info_kind":"wireguard"}}])"});

  const auto message = observe(host);

  CHECK(problems(message.reader()) == std::vector<std::string>{"WireGuard"});
}

TEST_CASE("network audit: a staged configuration is told", "[agent][network]") {
  SimHost host;
  proxmox(host);
  host.file("/etc/network/interfaces.new", "auto lo\n");

  const auto message = observe(host);

  CHECK(message.reader().getStaged());
  CHECK(message.reader().getStagedDiffers());
}

TEST_CASE("network audit: files that the configuration takes in are read, once each",
          "[agent][network]") {
  SimHost host;
  proxmox(host);
  host.file("/etc/network/interfaces.d/lan",
            "iface lan0 inet static\n\taddress 10.0.0.1\n\tnetmask 255.0.0.0\n\twpa-psk canary\n"
            "source /etc/network/interfaces.d/*\n");

  const auto message = observe(host);

  const auto facts = message.reader();
  CHECK(problems(facts).empty());
  REQUIRE(facts.getConfigured().size() == 6);
  CHECK(view(facts.getConfigured()[5].getAddress()) == "10.0.0.1/255.0.0.0");
  CHECK(view(facts.getConfigured()[5].getOptions()) == "wpa-psk ***");
}

TEST_CASE("network audit: resolved's own servers are found behind its stub", "[agent][network]") {
  SimHost host;
  proxmox(host);
  host.file("/etc/resolv.conf", "nameserver 127.0.0.53\nsearch lab\n");
  host.file("/run/systemd/resolve/resolv.conf", "nameserver 10.42.10.53\n");

  const auto message = observe(host);

  REQUIRE(message.reader().getNameservers().size() == 2);
  CHECK(view(message.reader().getNameservers()[1].getAddress()) == "10.42.10.53");
  CHECK(view(message.reader().getSearchDomains()) == "lab");
}

TEST_CASE("network audit: older tables beside nft are read, or missed aloud", "[agent][network]") {
  SimHost host;
  proxmox(host);
  host.file("/proc/net/ip_tables_names", "filter\n");

  CHECK(problems(observe(host).reader()) == std::vector<std::string>{"iptables"});

  host.answer("iptables-legacy-save",
              {.out = "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n"});
  const auto message = observe(host);
  CHECK(problems(message.reader()).empty());
  CHECK(message.reader().getChains().size() == 2);
  REQUIRE(message.reader().getIptablesRules().size() == 1);
  const auto rule = message.reader().getIptablesRules()[0];
  CHECK(view(rule.getFamily()) == "ip");
  CHECK(view(rule.getTable()) == "filter");
  CHECK(view(rule.getChain()) == "INPUT");
  CHECK(view(rule.getRule()) == "-A INPUT -i lo -j ACCEPT");
}

TEST_CASE("network audit: firewall rules that are not told whole are problems",
          "[agent][network]") {
  SimHost host;
  proxmox(host);
  std::string rules;
  for (std::size_t i = 0; i < rules_max + 2; ++i) rules += "-A INPUT -j ACCEPT\n";
  host.file("/proc/net/ip_tables_names", "filter\n");
  host.answer("iptables-legacy-save", {.out = "*filter\n:INPUT DROP [0:0]\n" + rules + "COMMIT\n"});
  const auto entry =
      R"({"rule":{"family":"ip","table":"t","chain":"c","expr":[{"log":{"prefix":")" +
      std::string(rule_size_max, 'x') + R"("}}]}})";
  host.answer(
      "nft --json list ruleset",
      {.out = R"({"nftables":[{"chain":{"family":"ip","table":"t","name":"c"}},)" + entry + "]}"});

  const auto message = observe(host);

  const auto problems = message.reader().getCoverage().getProblems();
  REQUIRE(problems.size() == 2);
  CHECK(view(problems[0].getPart()) == "rules of nftables");
  CHECK(view(problems[0].getWhy()) ==
        "1 of 1 rules have more than 1000 bytes and are told without their content");
  CHECK(view(problems[1].getPart()) == "rules of iptables");
  CHECK(view(problems[1].getWhy()) == "only 1000 of 1002 rules are told");
  CHECK(message.reader().getIptablesRules().size() == rules_max);
}

TEST_CASE("network audit: every program that fails is a problem of its own part",
          "[agent][network]") {
  using Row = std::tuple<const char*, const char*>;
  const auto [command, part] = GENERATE(table<const char*, const char*>({
      Row{"ip -json -details address", "interfaces"},
      Row{"bridge -json -compressvlans vlan show", "VLANs of bridges"},
      Row{"ip -json -4 route show table all", "IPv4 routes"},
      Row{"ip -json -6 rule", "IPv6 rules"},
      Row{"nft --json list ruleset", "nftables"},
      Row{"ufw status verbose", "ufw"},
      Row{"pve-firewall status", "status of Proxmox's firewall"},
  }));
  SimHost host;
  proxmox(host);
  host.answer("iptables-save", {});
  host.answer("ip6tables-save", {});
  host.answer(command, GENERATE(Output{.status = 1, .err = "Operation not permitted\n"},
                                Output{.out = "[{\"x\""}, Output{}));

  CHECK(problems(observe(host).reader()) == std::vector<std::string>{part});
}

TEST_CASE("network audit: files that cannot be read are problems", "[agent][network]") {
  using Row = std::tuple<const char*, const char*>;
  const auto [path, part] = GENERATE(table<const char*, const char*>({
      Row{"/etc/network/interfaces", "/etc/network/interfaces"},
      Row{"/etc/resolv.conf", "/etc/resolv.conf"},
      Row{"/etc/hosts", "/etc/hosts"},
      Row{"/proc/sys/net/ipv4/ip_forward", "net.ipv4.ip_forward"},
      Row{"/etc/pve/firewall/112.fw", "/etc/pve/firewall/112.fw"},
      Row{"/etc/pve/firewall", "/etc/pve/firewall"},
  }));
  SimHost host;
  proxmox(host);
  host.broken(path, {.fault = Fault::refused, .what = "permission denied"});

  CHECK(problems(observe(host).reader()) == std::vector<std::string>{part});
}

}  // namespace relab::agent::network
