#include "agent/host/sim/network/wireguard.h"

#include <fmt/format.h>

#include "agent/kinds/network/wireguard.h"
#include "tests/support/must.h"

namespace relab::agent::sim {

namespace {

constexpr auto hub = "9/cK7cqYdJi0AqkL+BW25ElcKIZV4KT99H5wHaiDZmk=";
/// Of tests/data/wireguard, where private and public keys do not belong together.
constexpr auto file = R"(# spoke
[Interface]
Address = 10.99.0.5/24
PrivateKey = UKJCvDL+WsQ9V+zHSZNdXMQL0tKiajybw9Hh2S1vZms=
ListenPort = 51820
MTU = 1420

[Peer]
PublicKey = 9/cK7cqYdJi0AqkL+BW25ElcKIZV4KT99H5wHaiDZmk=
PresharedKey = tMamTTh/+R9cYWBFpNIue6UrU766Lvbl+NOhpqzyR6U=
Endpoint = 198.51.100.20:13231
AllowedIPs = 10.99.0.0/24, 10.10.0.0/24
PersistentKeepalive = 25
)";

/// A container in which wg is installed and wg0 is configured.
struct Spoke {
  Spoke() : wireguard(host, wiring) {
    host.file("/usr/bin/wg", "");
    wireguard.install();
    host.file("/etc/wireguard/wg0.conf", file);
  }
  network::WireguardDump dump() {
    const auto output = must(host.run({.argv = {"wg", "show", "all", "dump"}}));
    return must(network::parse_wireguard_dump(output.out));
  }

  SimHost host;
  Wiring wiring;
  Wireguard wireguard;
};

}  // namespace

TEST_CASE("simulated wireguard: no machine is a peer of itself", "[sim][network]") {
  Spoke spoke;
  spoke.host.file("/etc/wireguard/wg0.conf",
                  std::string(file) +
                      "\n[Peer]\nPublicKey = dabkWJKfcGPHnRrS5oVYlTJoznh/SYezuoLO++R3TDE=\n"
                      "AllowedIPs = 10.20.0.7/32\n");

  CHECK(spoke.wireguard.start_unit("wg-quick@wg0.service").empty());

  CHECK(spoke.dump().peers.size() == 1);
}

TEST_CASE("simulated wireguard: a tunnel comes up as its file says", "[sim][network]") {
  Spoke spoke;
  CHECK(spoke.dump().interfaces.empty());

  CHECK(spoke.wireguard.start_unit("wg-quick@wg0.service").empty());

  const auto dump = spoke.dump();
  REQUIRE(dump.interfaces.size() == 1);
  CHECK(dump.interfaces[0].public_key == "dabkWJKfcGPHnRrS5oVYlTJoznh/SYezuoLO++R3TDE=");
  CHECK(dump.interfaces[0].port == 51820);
  REQUIRE(dump.peers.size() == 1);
  CHECK(dump.peers[0].allowed_ips == "10.99.0.0/24,10.10.0.0/24");
  CHECK(dump.peers[0].has_preshared_key);
  REQUIRE(spoke.wiring.link("wg0") != nullptr);
  CHECK(spoke.wiring.link("wg0")->addresses[0].local == "10.99.0.5");
  CHECK(spoke.wiring.routes().back().told.destination == "10.10.0.0/24");
}

TEST_CASE("simulated wireguard: a hub that does not answer shakes no hand", "[sim][network]") {
  Spoke spoke;
  must(spoke.wireguard.up("wg0"));

  spoke.host.spend(std::chrono::seconds(30));

  CHECK(spoke.dump().peers[0].last_handshake == 0);
  CHECK(spoke.dump().peers[0].received == 0);
  CHECK(spoke.dump().peers[0].sent > 148);
}

TEST_CASE("simulated wireguard: a hub that answers does so again and again", "[sim][network]") {
  Spoke spoke;
  spoke.wireguard.answers(hub);
  must(spoke.wireguard.up("wg0"));
  const auto first = spoke.dump().peers[0];

  spoke.host.spend(std::chrono::hours(1));

  const auto later = spoke.dump().peers[0];
  CHECK(later.last_handshake == first.last_handshake + 3600);
  CHECK(later.received > first.received);
  const auto told = must(spoke.host.run({.argv = {"wg", "show", "all", "latest-handshakes"}})).out;
  CHECK(told == fmt::format("wg0\t{}\t{}\n", hub, later.last_handshake));
}

TEST_CASE("simulated wireguard: what goes down leaves nothing", "[sim][network]") {
  Spoke spoke;
  must(spoke.wireguard.up("wg0"));

  spoke.wireguard.stop_unit("wg-quick@wg0.service");

  CHECK(spoke.dump().interfaces.empty());
  CHECK(spoke.wiring.links().empty());
  CHECK(spoke.wiring.routes().empty());
}

TEST_CASE("simulated wireguard: what wg-quick refuses does not come up", "[sim][network]") {
  Spoke spoke;
  const auto [text, words] = GENERATE(table<std::string, std::string>({
      {"[Interface]\nPrivateKey = short\n", "Key is not the correct length or format"},
      {"[Interface]\nDNS = 10.0.0.1\n", "resolvconf: command not found"},
      {"[Interface]\nAdress = 10.0.0.1/24\n", "Line unrecognized: `adress'"},
      {"[Interface]\nPostUp = true\n", "the simulation knows no postup"},
      {"nonsense\n", "Line unrecognized"},
  }));
  spoke.host.file("/etc/wireguard/wg0.conf", text);

  CHECK_THAT(spoke.wireguard.start_unit("wg-quick@wg0.service"), Catch::Contains(words));
  CHECK(spoke.dump().interfaces.empty());
  CHECK(spoke.wiring.links().empty());
}

TEST_CASE("simulated wireguard: without a file, and a second time, it does not start",
          "[sim][network]") {
  Spoke spoke;
  must(spoke.wireguard.up("wg0"));

  CHECK(spoke.wireguard.start_unit("wg-quick@wg1.service") ==
        "wg-quick: `/etc/wireguard/wg1.conf' does not exist");
  CHECK(spoke.wireguard.start_unit("wg-quick@wg0.service") == "wg-quick: `wg0' already exists");
}

TEST_CASE("simulated wireguard: until it is installed there is no wg", "[sim][network]") {
  SimHost host;
  Wiring wiring;
  const Wireguard wireguard(host, wiring);

  CHECK(host.run({.argv = {"wg", "show", "all", "dump"}}).error().fault == Fault::missing);
}

}  // namespace relab::agent::sim
