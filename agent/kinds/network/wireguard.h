#pragma once

/// WireGuard's interfaces and peers, out of `wg show all dump`, whose lines hold private keys.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::network {

struct Wireguard {
  std::string interface = {};
  std::string public_key = {};
  std::uint16_t port = 0;
  std::string mark = {};
  std::uint32_t peers = 0;

  bool operator==(const Wireguard&) const = default;
};

struct WireguardPeer {
  std::string interface = {};
  std::string public_key = {};
  bool has_preshared_key = false;
  std::string endpoint = {};
  std::string allowed_ips = {};
  /// Unix seconds; 0 for none yet.
  std::uint64_t last_handshake = 0;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::uint32_t keepalive = 0;

  bool operator==(const WireguardPeer&) const = default;
};

struct WireguardDump {
  std::vector<Wireguard> interfaces = {};
  std::vector<WireguardPeer> peers = {};
};

/// No private or preshared key leaves this function, nor does any part of a line in an error.
Result<WireguardDump> parse_wireguard_dump(std::string_view text);

}  // namespace relab::agent::network
