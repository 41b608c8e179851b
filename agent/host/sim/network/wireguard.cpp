#include "agent/host/sim/network/wireguard.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "agent/host/sim/network/coverage.h"
#include "agent/host/sim/network/subnet.h"
#include "agent/host/sim/network/wireguard_file.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Words = std::vector<std::string>;

/// Of those that the kernel chooses from where the file has none.
constexpr std::uint16_t chosen_port = 47501;
constexpr auto program_file = "/usr/bin/wg";
constexpr std::uint64_t millis_per_second = 1000;
/// A session is made anew after so many seconds of traffic.
constexpr std::int64_t rekey_seconds = 120;
/// A handshake that nobody answers is tried again after so many.
constexpr std::int64_t retry_seconds = 5;
constexpr std::uint64_t initiation_bytes = 148;
constexpr std::uint64_t response_bytes = 92;
constexpr std::uint64_t keepalive_bytes = 32;

std::string or_word(const std::string& text, std::string_view otherwise) {
  return text.empty() ? std::string(otherwise) : text;
}

std::int64_t seconds_of(Instant instant) {
  return std::chrono::duration_cast<std::chrono::seconds>(instant.time_since_epoch()).count();
}

WireguardPeer peer_of(schema::AuditNetwork::WireguardPeer::Reader told) {
  return {.public_key = str(told.getPublicKey()),
          .preshared_key = told.getHasPresharedKey() ? "(hidden)" : "",
          .endpoint = str(told.getEndpoint()),
          .allowed_ips = str(told.getAllowedIps()),
          .keepalive = told.getKeepalive(),
          .handshake_seconds = told.getLastHandshake() / millis_per_second,
          .received = told.getReceived(),
          .sent = told.getSent()};
}

/// "wg-quick@wg0.service" is about wg0.
std::string interface_of(const std::string& unit) {
  const auto at = unit.find('@') + 1;
  return unit.substr(at, unit.rfind(".service") - at);
}

bool covers(const Words& addresses, const Subnet& wanted) {
  return std::ranges::any_of(addresses, [&](const std::string& cidr) {
    const auto subnet = subnet_of(cidr);
    return subnet && subnet->prefix <= wanted.prefix && subnet->contains(wanted.network);
  });
}

}  // namespace

Wireguard::Wireguard(SimHost& host, Wiring& wiring) : host_(host), wiring_(wiring) {
  leave_out(host_, "wg");
}

Wireguard::Wireguard(SimHost& host, Wiring& wiring, schema::AuditNetwork::Facts::Reader facts)
    : Wireguard(host, wiring) {
  if (is_absent(facts.getCoverage(), "WireGuard")) return;
  if (!is_there(host_, program_file)) host_.file(program_file, "", {.mode = 0755});
  install();
  for (const auto told : facts.getWireguard()) {
    WireguardTunnel tunnel{.interface = str(told.getInterface()),
                           .private_key = {},
                           .public_key = str(told.getPublicKey()),
                           .port = told.getPort(),
                           .mark = str(told.getMark())};
    for (const auto peer : facts.getWireguardPeers())
      if (view(peer.getInterface()) == tunnel.interface) tunnel.peers.push_back(peer_of(peer));
    tunnels_.push_back(std::move(tunnel));
  }
}

void Wireguard::install() {
  host_.program("wg", [this](const Command& command) { return wg(command); });
}

Result<void> Wireguard::up(const std::string& interface) {
  const auto path = fmt::format("/etc/wireguard/{}.conf", interface);
  const auto text = host_.read_file(path);
  if (!text) return fail(Fault::missing, fmt::format("wg-quick: `{}' does not exist", path));
  if (wiring_.link(interface) != nullptr)
    return fail(Fault::conflict, fmt::format("wg-quick: `{}' already exists", interface));
  RELAB_TRY(auto file, read_wireguard_file(interface, *text));
  auto& tunnel = file.tunnel;
  tunnel.since = host_.now();
  if (tunnel.port == 0) tunnel.port = chosen_port;
  // The kernel keeps no peer that is the machine itself.
  std::erase_if(tunnel.peers,
                [&](const WireguardPeer& peer) { return peer.public_key == tunnel.public_key; });
  if (auto wired = wire(interface, file.addresses, file.tunnel); !wired) {
    wiring_.unplug(interface);
    return wired;
  }
  tunnels_.push_back(std::move(file.tunnel));
  return {};
}

Result<void> Wireguard::wire(const std::string& interface, const Words& addresses,
                             const WireguardTunnel& tunnel) {
  constexpr std::uint32_t mtu = 1420;
  wiring_.plug(
      {.name = interface, .kind = "wireguard", .is_up = true, .state = "UNKNOWN", .mtu = mtu});
  for (const auto& cidr : addresses) {
    const auto subnet = subnet_of(cidr);
    if (!subnet) continue;
    RELAB_CHECK(wiring_.add_address(
        interface,
        {.local = cidr.substr(0, cidr.find('/')), .prefix = subnet->prefix, .label = interface}));
  }
  for (const auto& peer : tunnel.peers)
    for (const auto& cidr : comma_words(peer.allowed_ips)) {
      const auto subnet = subnet_of(cidr);
      if (!subnet || covers(addresses, *subnet)) continue;
      if (subnet->prefix == 0)
        return fail(Fault::unsupported, "the simulation knows no tunnel that takes all traffic");
      RELAB_CHECK(wiring_.replace_route({.told = {.family = "ip",
                                                  .table = "main",
                                                  .type = "unicast",
                                                  .destination = subnet->text(),
                                                  .gateway = {},
                                                  .interface = interface},
                                         .scope = "link"}));
    }
  return {};
}

void Wireguard::down(const std::string& interface) {
  std::erase_if(tunnels_, [&](const auto& tunnel) { return tunnel.interface == interface; });
  wiring_.unplug(interface);
}

std::string Wireguard::start_unit(const std::string& unit) {
  const auto done = up(interface_of(unit));
  return done ? std::string() : done.error().what;
}

void Wireguard::stop_unit(const std::string& unit) { down(interface_of(unit)); }

WireguardPeer Wireguard::now(const WireguardTunnel& tunnel, WireguardPeer peer) {
  if (!tunnel.since) return peer;
  const auto elapsed = seconds_of(host_.now()) - seconds_of(*tunnel.since);
  // Who has no keepalive and no traffic does not even try.
  if (peer.keepalive == 0 || peer.endpoint.empty()) return peer;
  const auto count = [elapsed](std::int64_t span) {
    return static_cast<std::uint64_t>(elapsed / span) + 1;
  };
  if (!answering_.contains(peer.public_key)) {
    peer.sent = initiation_bytes * count(retry_seconds);
    return peer;
  }
  peer.handshake_seconds =
      static_cast<std::uint64_t>(seconds_of(host_.now()) - elapsed % rekey_seconds);
  const auto handshakes = count(rekey_seconds);
  peer.received = response_bytes * handshakes;
  peer.sent = initiation_bytes * handshakes + keepalive_bytes * count(peer.keepalive);
  return peer;
}

std::string Wireguard::dump() {
  std::string text;
  for (const auto& tunnel : tunnels_) {
    text +=
        fmt::format("{}\t{}\t{}\t{}\t{}\n", tunnel.interface, or_word(tunnel.private_key, "(none)"),
                    or_word(tunnel.public_key, "(none)"), tunnel.port, or_word(tunnel.mark, "off"));
    for (const auto& known : tunnel.peers) {
      const auto peer = now(tunnel, known);
      text +=
          fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", tunnel.interface, peer.public_key,
                      or_word(peer.preshared_key, "(none)"), or_word(peer.endpoint, "(none)"),
                      or_word(peer.allowed_ips, "(none)"), peer.handshake_seconds, peer.received,
                      peer.sent, peer.keepalive == 0 ? "off" : std::to_string(peer.keepalive));
    }
  }
  return text;
}

std::string Wireguard::handshakes() {
  std::string text;
  for (const auto& tunnel : tunnels_)
    for (const auto& known : tunnel.peers) {
      const auto peer = now(tunnel, known);
      text +=
          fmt::format("{}\t{}\t{}\n", tunnel.interface, peer.public_key, peer.handshake_seconds);
    }
  return text;
}

Result<Output> Wireguard::wg(const Command& command) {
  if (!is_there(host_, program_file)) return fail(Fault::missing, "no wg on this machine");
  const Words words(command.argv.begin() + 1, command.argv.end());
  if (words == Words{"show", "all", "dump"}) return Output{.out = dump()};
  if (words == Words{"show", "all", "latest-handshakes"}) return Output{.out = handshakes()};
  return host_.does_not_know(command);
}

}  // namespace relab::agent::sim
