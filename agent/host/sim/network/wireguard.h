#pragma once

/// `wg` of a simulated machine, and what wg-quick makes of the files of /etc/wireguard.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/host/sim/network/wiring.h"
#include "agent/host/sim/sim_host.h"
#include "schema/network.capnp.h"

namespace relab::agent::sim {

struct WireguardPeer {
  std::string public_key;
  /// Empty: none.
  std::string preshared_key = {};
  std::string endpoint = {};
  /// Parted by commas.
  std::string allowed_ips = {};
  std::uint32_t keepalive = 0;
  /// As an audit has told them.
  std::uint64_t handshake_seconds = 0;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
};

struct WireguardTunnel {
  std::string interface;
  /// Empty: not known.
  std::string private_key = {};
  std::string public_key = {};
  std::uint16_t port = 0;
  std::string mark = {};
  /// When it was brought up here; none: an audit found it so, and all figures are its.
  std::optional<Instant> since = {};
  std::vector<WireguardPeer> peers = {};
};

class Wireguard {
 public:
  /// Without a tunnel, and without `wg`.
  Wireguard(SimHost& host, Wiring& wiring);
  /// With the tunnels that an audit found. No audit tells a private key: theirs are "(none)".
  Wireguard(SimHost& host, Wiring& wiring, schema::AuditNetwork::Facts::Reader facts);

  /// `wg` is there as soon as its file is, which its package brings.
  void install();

  /// As `wg-quick up` does, by /etc/wireguard/X.conf. Its own words where it fails; then nothing is
  /// left of it.
  Result<void> up(const std::string& interface);
  void down(const std::string& interface);
  /// For units like "wg-quick@wg0.service": empty, or why it does not start.
  std::string start_unit(const std::string& unit);
  void stop_unit(const std::string& unit);

  /// From now on the machine with this public key answers. Nobody does until it is said.
  void answers(const std::string& public_key) { answering_.insert(public_key); }
  void is_silent(const std::string& public_key) { answering_.erase(public_key); }

 private:
  Result<Output> wg(const Command& command);
  std::string dump();
  std::string handshakes();
  /// With the figures of this moment.
  WireguardPeer now(const WireguardTunnel& tunnel, WireguardPeer peer);
  Result<void> wire(const std::string& interface, const std::vector<std::string>& addresses,
                    const WireguardTunnel& tunnel);

  SimHost& host_;
  Wiring& wiring_;
  std::vector<WireguardTunnel> tunnels_;
  std::set<std::string> answering_;
};

}  // namespace relab::agent::sim
