#include "agent/kinds/network/interfaces_file.h"
#include "agent/kinds/network/links.h"
#include "agent/kinds/network/packet_filter.h"
#include "agent/kinds/network/pve_firewall.h"
#include "agent/kinds/network/resolver.h"
#include "agent/kinds/network/wireguard.h"
#include "tests/support/must.h"
#include "tests/support/sample.h"

namespace relab::agent::network {

TEST_CASE("links: bridges, VLANs and bonds are told by what they are", "[agent][network]") {
  const auto links = must(parse_links(
      R"([{"ifname":"lo","flags":["LOOPBACK","UP"],"mtu":65536,"operstate":"UNKNOWN","addr_info":[
            {"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host"}]},
          {"ifname":"eno1","master":"vmbr0","flags":["UP","LOWER_UP"],"mtu":1500,"operstate":"UP",
           "linkinfo":{"info_slave_kind":"bridge"},"addr_info":[]},
          {"ifname":"vmbr0","flags":["UP"],"linkinfo":{"info_kind":"bridge","info_data":{"vlan_filtering":1}}},
          {"ifname":"vmbr0.10","link":"vmbr0","flags":[],"linkinfo":{"info_kind":"vlan","info_data":{"protocol":"802.1Q","id":10}},
           "addr_info":[{"family":"inet","local":"10.42.10.2","prefixlen":24,"scope":"global","dynamic":true},{}]},
          {"ifname":"bond0","linkinfo":{"info_kind":"bond","info_data":{"mode":"802.3ad"}}},
          {"link":"v0","ifname":"veth112i0","linkinfo":{"info_kind":"veth"}}])"));

  REQUIRE(links.interfaces.size() == 6);
  CHECK(links.interfaces[1].master == "vmbr0");
  CHECK(links.interfaces[1].kind.empty());
  CHECK(links.interfaces[1].is_up);
  CHECK(links.interfaces[2].filters_vlans);
  CHECK(links.interfaces[3].vlan == 10);
  CHECK(links.interfaces[3].parent == "vmbr0");
  CHECK_FALSE(links.interfaces[3].is_up);
  CHECK(links.interfaces[4].mode == "802.3ad");
  CHECK(links.interfaces[5].parent.empty());
  REQUIRE(links.addresses.size() == 2);
  CHECK(links.addresses[1] == Address{.interface = "vmbr0.10",
                                      .address = "10.42.10.2",
                                      .prefix = 24,
                                      .scope = "global",
                                      .is_dynamic = true});
}

TEST_CASE("links: guests' cables are told by their names", "[agent][network]") {
  CHECK(is_guests("veth112i0"));
  CHECK(is_guests("tap100i1"));
  CHECK(is_guests("fwbr112i0"));
  CHECK_FALSE(is_guests("veth"));
  CHECK_FALSE(is_guests("vethos"));
  CHECK_FALSE(is_guests("vmbr0"));
}

TEST_CASE("links: VLANs of bridges come as ranges", "[agent][network]") {
  const auto vlans = must(parse_bridge_vlans(
      R"([{"ifname":"eno1","vlans":[{"vlan":1,"flags":["PVID","Egress Untagged"]},{"vlan":10},{"vlan":20,"vlanEnd":30}]}])"));

  REQUIRE(vlans.size() == 3);
  CHECK(vlans[0] ==
        BridgeVlan{.port = "eno1", .first = 1, .last = 1, .is_native = true, .is_untagged = true});
  CHECK(vlans[2] == BridgeVlan{.port = "eno1", .first = 20, .last = 30});
  CHECK(must(parse_bridge_vlans("[]")).empty());
}

TEST_CASE("links: routes leave the kernel's own out, and unfold several gateways",
          "[agent][network]") {
  const auto routes = must(parse_routes(
      "ip",
      R"([{"dst":"default","gateway":"10.42.10.1","dev":"vmbr0.10","protocol":"kernel","flags":[]},
          {"type":"blackhole","dst":"10.0.0.0/8","metric":20},
          {"dst":"10.1.0.0/16","table":"100","nexthops":[{"gateway":"10.0.0.1","dev":"a"},{"via":{"family":"inet6","host":"fe80::1"},"dev":"b"}]},
          {"type":"local","dst":"127.0.0.1","dev":"lo","table":"local"}])"));

  REQUIRE(routes.size() == 4);
  CHECK(routes[0].gateway == "10.42.10.1");
  CHECK(routes[0].table == "main");
  CHECK(routes[1].type == "blackhole");
  CHECK(routes[1].metric == 20);
  CHECK(routes[3].gateway == "fe80::1");
  CHECK(routes[3].table == "100");
}

TEST_CASE("links: rules keep their conditions", "[agent][network]") {
  const auto rules = must(parse_rules("ip", R"([{"priority":0,"src":"all","table":"local"},
                {"priority":100,"not":null,"src":"all","fwmark":"0xca6c","table":"51820"}])"));

  REQUIRE(rules.size() == 2);
  CHECK(rules[0].condition == "src all");
  CHECK(rules[1].condition == "fwmark 0xca6c not src all");
  CHECK(rules[1].table == "51820");
}

TEST_CASE("links: what is no list of such things is an error", "[agent][network]") {
  const auto* text = GENERATE("", "{}", "[1]", "[{\"x\":1}]", "[{\"ifname\":", "\xFF", "null");

  CHECK_FALSE(parse_links(text));
  CHECK_FALSE(parse_bridge_vlans(text));
  CHECK_FALSE(parse_routes("ip", text));
  CHECK_FALSE(parse_rules("ip", text));
}

TEST_CASE("links: no interface at all, and a VLAN without a number, are errors",
          "[agent][network]") {
  CHECK_FALSE(parse_links("[]"));
  CHECK_FALSE(parse_bridge_vlans(R"([{"ifname":"a","vlans":[{"flags":[]}]}])"));
  CHECK_FALSE(parse_bridge_vlans(R"([{"ifname":"a","vlans":[{"vlan":70000}]}])"));
}

TEST_CASE("interfaces file: a bridge that tells VLANs apart is read", "[agent][network]") {
  const auto file = must(parse_interfaces(sample("pve/interfaces")));

  REQUIRE(file.stanzas.size() == 5);
  CHECK(file.stanzas[3].name == "vmbr0");
  CHECK(file.stanzas[3].get("bridge-vids") == "10 20 60");
  CHECK(file.stanzas[4].method == "static");
  CHECK(file.stanzas[4].get("gateway") == "10.42.10.1");
  CHECK(file.starts.at("vmbr0.10") == "auto");
  CHECK_FALSE(file.starts.contains("eno1"));
  CHECK(file.sources == std::vector<std::string>{"/etc/network/interfaces.d/*"});
  CHECK(must(parse_interfaces(sample("pve/interfaces.as-installed"))).stanzas.size() == 4);
}

TEST_CASE("interfaces file: odd but true lines", "[agent][network]") {
  const auto file =
      must(parse_interfaces("allow-hotplug eth0 \\\n eth1\n"
                            "iface eth0 inet static\n address 10.0.0.1\n"
                            "# c\n netmask 255.0.0.0\n bridge_ports a b\n"
                            " up a\n up b\n"
                            "iface bond0\n\n bond-slaves x\r\n"
                            "mapping eth2\n script x\n"
                            "source-directory interfaces.d\n"));

  REQUIRE(file.stanzas.size() == 2);
  CHECK(file.starts.at("eth1") == "hotplug");
  CHECK(file.stanzas[0].line == 3);
  CHECK(file.stanzas[0].get("bridge-ports") == "a b");
  CHECK(file.stanzas[0].get("up") == "a b");
  CHECK(file.stanzas[1].family.empty());
  CHECK(file.stanzas[1].get("bond-slaves") == "x");
  CHECK(file.source_folders.size() == 1);
}

TEST_CASE("interfaces file: an option outside of a stanza is an error", "[agent][network]") {
  const auto* text = GENERATE("address 1.2.3.4\n", "iface\n", "auto a\n address x\n", "\xFF\xFE");

  CHECK_FALSE(parse_interfaces(text));
}

TEST_CASE("interfaces file: patterns take their names", "[agent][network]") {
  CHECK(suits("x", "*"));
  CHECK(suits("lan.cfg", "*.cfg"));
  CHECK(suits("abab", "*ab"));
  CHECK(suits("ab", "a?"));
  CHECK_FALSE(suits("lan.bak", "*.cfg"));
  CHECK_FALSE(suits("", "?"));
  CHECK_FALSE(suits("abc", "a?"));
  CHECK(suits("", "*"));
}

TEST_CASE("resolver: nameservers, and who this machine thinks it is", "[agent][network]") {
  const auto conf =
      parse_resolv_conf("# x\nsearch lab.example  b\nnameserver 10.42.10.53\nnameserver\n");
  const auto hosts = parse_hosts("127.0.0.1 localhost # me\n10.42.10.2 pve.lab PVE\n\n::1\n");

  CHECK(conf.nameservers == std::vector<std::string>{"10.42.10.53"});
  CHECK(conf.search == "lab.example b");
  REQUIRE(hosts.size() == 2);
  CHECK(addresses_of("pve", hosts) == std::vector<std::string>{"10.42.10.2"});
  CHECK(addresses_of("", hosts).empty());
}

TEST_CASE("nft: chains, policies and rules are read, without counters", "[agent][network]") {
  const auto nft = must(parse_nft(sample("firewall/nft-list-ruleset.json")));

  REQUIRE(nft.chains.size() == 1);
  CHECK(nft.chains[0] == Chain{.program = "nft",
                               .family = "inet",
                               .table = "egress60",
                               .name = "output",
                               .hook = "output",
                               .priority = 0,
                               .policy = "drop",
                               .rules = 10});
  REQUIRE(nft.rules.size() == 10);
  CHECK(nft.rules[4].comment == "dns");
  CHECK(nft.rules[4].expression.find("\"right\":53") != std::string::npos);
  CHECK(nft.rules[4].expression.find("counter") == std::string::npos);
}

TEST_CASE("nft: an empty ruleset is one, nothing at all is none", "[agent][network]") {
  CHECK(must(parse_nft(R"({"nftables": [{"metainfo": {"version": "1.0.6"}}]})")).chains.empty());
  const auto deep = "{\"nftables\":" + std::string(100000, '[');
  const std::string text = GENERATE_COPY(as<std::string>{}, "", "{}", "[]", R"({"nftables": []})",
                                         R"({"nftables": [{"rule": {"chain": "x"}}]})", deep);
  CHECK_FALSE(parse_nft(text));
}

namespace {

/// nft's answer with these rules of one chain, each an expression.
std::string ruleset(const std::vector<std::string>& expressions) {
  std::string text =
      R"({"nftables":[{"metainfo":{}},{"chain":{"family":"ip","table":"t","name":"c"}})";
  for (const auto& expression : expressions)
    text += R"(,{"rule":{"family":"ip","table":"t","chain":"c","expr":[)" + expression + "]}}";
  return text + "]}";
}

}  // namespace

TEST_CASE("nft: rules above the limit are counted as left out", "[agent][network]") {
  const auto nft =
      must(parse_nft(ruleset(std::vector<std::string>(rules_max + 3, R"({"accept":null})"))));

  CHECK(nft.chains[0].rules == rules_max + 3);
  CHECK(nft.rules.size() == rules_max);
  CHECK(nft.cut == Cut{.left_out = 3, .too_long = 0});
}

TEST_CASE("nft: an expression that is too long is left out whole, not cut in two",
          "[agent][network]") {
  const std::string fits = R"({"log":{"prefix":")" + std::string(rule_size_max - 23, 'x') + "\"}}";
  const auto nft = must(parse_nft(ruleset({fits, fits + "," + fits, R"({"drop":null})"})));

  REQUIRE(nft.rules.size() == 3);
  CHECK(nft.rules[0].expression == "[" + fits + "]");
  CHECK(nft.rules[1].expression.empty());
  CHECK(nft.rules[2].expression == R"([{"drop":null}])");
  CHECK(nft.cut == Cut{.left_out = 0, .too_long = 1});
}

TEST_CASE("iptables: chains and rules are told by table", "[agent][network]") {
  const auto tables = must(parse_iptables_save(
      "ip",
      "# Generated\n*filter\n:INPUT DROP [12:34]\n:PVEFW-INPUT - [0:0]\n-A INPUT -j PVEFW-INPUT\n"
      "[1:2] -A INPUT -p tcp -j ACCEPT\nCOMMIT\n*nat\n:INPUT ACCEPT [0:0]\nCOMMIT\n"));

  REQUIRE(tables.chains.size() == 3);
  CHECK(tables.chains[0].rules == 2);
  CHECK(tables.chains[0].policy == "DROP");
  CHECK(tables.chains[0].hook == "INPUT");
  CHECK(tables.chains[1].policy.empty());
  CHECK(tables.chains[2].table == "nat");
  CHECK(tables.chains[2].rules == 0);
  const IptablesRule first{
      .family = "ip", .table = "filter", .chain = "INPUT", .rule = "-A INPUT -j PVEFW-INPUT"};
  const IptablesRule second{
      .family = "ip", .table = "filter", .chain = "INPUT", .rule = "-A INPUT -p tcp -j ACCEPT"};
  CHECK(tables.rules == std::vector<IptablesRule>{first, second});
  CHECK(tables.cut == Cut{});
  CHECK(must(parse_iptables_save("ip", "")).chains.empty());
}

TEST_CASE("iptables: what is not told of the rules is counted", "[agent][network]") {
  std::string text = "*filter\n:INPUT DROP [0:0]\n-A INPUT -m comment --comment " +
                     std::string(rule_size_max, 'x') + " -j DROP\n";
  for (std::size_t i = 0; i <= rules_max; ++i) text += "-A INPUT -j ACCEPT\n";

  const auto tables = must(parse_iptables_save("ip", text + "COMMIT\n"));

  CHECK(tables.chains[0].rules == rules_max + 2);
  REQUIRE(tables.rules.size() == rules_max);
  CHECK(tables.rules[0].rule.empty());
  CHECK(tables.cut == Cut{.left_out = 2, .too_long = 1});
}

TEST_CASE("iptables: what iptables-save does not print is an error", "[agent][network]") {
  const auto* text = GENERATE("hello\n", ":INPUT DROP [0:0]\n", "*filter\n:INPUT\n",
                              "*filter\n-A INPUT -j X\n", "*filter\n[\n", "\xFF\n");

  CHECK_FALSE(parse_iptables_save("ip", text));
}

TEST_CASE("ufw: inactive is told with exit status 0", "[agent][network]") {
  CHECK(must(parse_ufw("Status: inactive\n")).status == "inactive");
  CHECK_FALSE(parse_ufw(""));
  const auto ufw =
      must(parse_ufw("Status: active\nLogging: on (low)\nDefault: deny (incoming), deny "
                     "(outgoing), disabled (routed)\n"
                     "New profiles: skip\n\nTo                         Action      From\n"
                     "--                         ------      ----\n22/tcp                     "
                     "ALLOW IN    Anywhere\n\n"));
  CHECK(ufw.defaults == "deny (incoming), deny (outgoing), disabled (routed)");
  CHECK(ufw.rules.size() == 1);
}

TEST_CASE("Proxmox firewall: files of cluster, host and guest are read", "[agent][network]") {
  const auto cluster = must(parse_firewall(sample("pve/cluster.fw")));
  const auto guest = must(parse_firewall(sample("pve/112.fw")));

  REQUIRE(cluster.options.size() == 3);
  CHECK(cluster.options[0] == std::pair<std::string, std::string>("enable", "1"));
  CHECK(cluster.lines.size() == 14);
  CHECK(cluster.lines[0].section == "aliases");
  CHECK(cluster.lines[4].section == "ipset management");
  CHECK(cluster.lines[13].section == "group lab_guest");
  CHECK(guest.options.size() == 5);
  CHECK(guest.lines.size() == 3);
  for (const auto* name : {"pve/host.fw", "pve/120.fw", "firewall/205.fw", "firewall/cluster.fw"})
    CHECK_FALSE(must(parse_firewall(sample(name))).lines.empty());
}

TEST_CASE("Proxmox firewall: a rule that is switched off says so", "[agent][network]") {
  const auto file = must(parse_firewall("[rules]\r\n|IN ACCEPT -p tcp\r\n"));

  REQUIRE(file.lines.size() == 1);
  CHECK(file.lines[0] ==
        FirewallLine{.section = "rules", .line = "IN ACCEPT -p tcp", .enabled = false});
}

TEST_CASE("Proxmox firewall: what it passes over is an error with its line", "[agent][network]") {
  const auto* text =
      GENERATE("IN ACCEPT\n", "[RULEZ]\n", "[OPTIONS]\nenable\n", "[ipset]\n", "[\n");

  const auto file = parse_firewall(text);

  REQUIRE_FALSE(file);
  CHECK(file.error().sentence().starts_with("line "));
}

TEST_CASE("Proxmox firewall: the status is read", "[agent][network]") {
  CHECK(must(parse_firewall_status(sample("pve/pve-firewall-status.txt"))) == "enabled/running");
  CHECK(must(parse_firewall_status("warning\nStatus: disabled/running (pending changes)\n")) ==
        "disabled/running (pending changes)");
  CHECK_FALSE(parse_firewall_status(""));
}

TEST_CASE("wireguard: every recorded dump is read", "[agent][network]") {
  const auto* name =
      GENERATE("hub-allowedips-wrong.t0", "hub-allowedips-wrong.t1-after-3-lost-pings",
               "linux-hub-two-peers", "never-handshaked", "ok.t0", "ok.t1-after-3-pings", "stale");

  const auto dump = must(
      parse_wireguard_dump(sample(std::string("wireguard/wg-show-all-dump.") + name + ".tsv")));

  REQUIRE(dump.interfaces.size() == 1);
  CHECK(dump.interfaces[0].peers == dump.peers.size());
  CHECK(dump.peers.back().has_preshared_key);
}

TEST_CASE("wireguard: a hub's peers, one without an endpoint", "[agent][network]") {
  const auto dump =
      must(parse_wireguard_dump(sample("wireguard/wg-show-all-dump.linux-hub-two-peers.tsv")));

  CHECK(dump.interfaces[0].public_key == "9/cK7cqYdJi0AqkL+BW25ElcKIZV4KT99H5wHaiDZmk=");
  CHECK(dump.interfaces[0].port == 13231);
  REQUIRE(dump.peers.size() == 2);
  CHECK_FALSE(dump.peers[0].has_preshared_key);
  CHECK(dump.peers[0].endpoint.empty());
  CHECK(dump.peers[0].last_handshake == 0);
  CHECK(dump.peers[1].received == 92416);
  CHECK(dump.peers[1].keepalive == 0);
}

TEST_CASE("wireguard: an error shows nothing of its line", "[agent][network]") {
  const auto* text = GENERATE(
      "wg0\tcanary\n", "wg0\tcanary\tpub\tcanary\toff\n", "wg1\tpub\tcanary\te\ta\t1\t2\t3\t4\n",
      "wg0\tk\tp\t1\toff\nwg0\tp\tk\te\ta\tcanary\t2\t3\t4\n", "wg0\tk\tp\t99999\toff\n", "canary");

  const auto dump = parse_wireguard_dump(text);

  REQUIRE_FALSE(dump);
  CHECK(dump.error().sentence().find("canary") == std::string::npos);
  CHECK(must(parse_wireguard_dump("")).interfaces.empty());
}

}  // namespace relab::agent::network
