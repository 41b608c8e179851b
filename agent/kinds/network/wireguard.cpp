#include "agent/kinds/network/wireguard.h"

#include <fmt/format.h>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::network {

namespace {

/// Interface, private key, public key, port, mark.
constexpr std::size_t interface_fields = 5;
/// Interface, public key, preshared key, endpoint, allowed IPs, handshake, received, sent,
/// keepalive.
constexpr std::size_t peer_fields = 9;

using Fields = std::vector<std::string_view>;

std::string or_empty(std::string_view text) {
  return text == "(none)" || text == "off" ? std::string() : std::string(text);
}

Result<std::uint64_t> number_in(std::string_view text) {
  const auto number = parse_number<std::uint64_t>(text);
  // The text stays out of the error: were the fields moved, it might be a key.
  if (!number) return fail(Fault::damaged, "a number is expected where there is none");
  return *number;
}

Result<Wireguard> parse_interface(const Fields& fields) {
  RELAB_TRY(const auto port, number_in(fields[3]));
  if (port > 65535) return fail(Fault::damaged, "a port is out of range");
  return Wireguard{.interface = std::string(fields[0]),
                   .public_key = or_empty(fields[2]),
                   .port = static_cast<std::uint16_t>(port),
                   .mark = or_empty(fields[4])};
}

Result<WireguardPeer> parse_peer(const Fields& fields) {
  WireguardPeer peer{.interface = std::string(fields[0]),
                     .public_key = std::string(fields[1]),
                     .has_preshared_key = fields[2] != "(none)",
                     .endpoint = or_empty(fields[3]),
                     .allowed_ips = or_empty(fields[4])};
  RELAB_TRY(peer.last_handshake, number_in(fields[5]));
  RELAB_TRY(peer.received, number_in(fields[6]));
  RELAB_TRY(peer.sent, number_in(fields[7]));
  if (fields[8] == "off") return peer;
  RELAB_TRY(const auto keepalive, number_in(fields[8]));
  peer.keepalive = static_cast<std::uint32_t>(keepalive);
  return peer;
}

}  // namespace

Result<WireguardDump> parse_wireguard_dump(std::string_view text) {
  WireguardDump dump;
  std::size_t number = 0;
  for (const auto line : lines(text)) {
    ++number;
    const auto fields = split(line, '\t');
    const auto where = fmt::format("line {} of wg's dump", number);
    if (fields.size() == interface_fields) {
      RELAB_TRY(auto interface, parse_interface(fields).during(where));
      dump.interfaces.push_back(std::move(interface));
    } else if (fields.size() == peer_fields && !dump.interfaces.empty() &&
               dump.interfaces.back().interface == fields[0]) {
      RELAB_TRY(auto peer, parse_peer(fields).during(where));
      dump.peers.push_back(std::move(peer));
      ++dump.interfaces.back().peers;
    } else {
      return fail(Fault::damaged, fmt::format("{} is neither an interface nor its peer", where));
    }
  }
  return dump;
}

}  // namespace relab::agent::network
