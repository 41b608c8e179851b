#pragma once

/// What wg-quick reads in a file of /etc/wireguard.

#include <string>
#include <string_view>
#include <vector>

#include "agent/host/sim/network/wireguard.h"

namespace relab::agent::sim {

struct WireguardFile {
  WireguardTunnel tunnel;
  std::vector<std::string> addresses = {};
};

/// Fails with the words of wg-quick and wg. The public key is made of the private one, as the
/// kernel does.
Result<WireguardFile> read_wireguard_file(const std::string& interface, std::string_view text);

/// The words between commas.
std::vector<std::string> comma_words(std::string_view text);

}  // namespace relab::agent::sim
