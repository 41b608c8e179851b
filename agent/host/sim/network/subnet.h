#pragma once

/// IPv4 networks, as far as it takes to know who is a neighbour.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace relab::agent::sim {

struct Subnet {
  std::uint32_t network = 0;
  std::uint8_t prefix = 0;

  bool contains(std::uint32_t address) const;
  /// "10.42.10.0/24", and without a prefix where it is one address: as `ip` prints it.
  std::string text() const;
  bool operator==(const Subnet&) const = default;
};

std::optional<std::uint32_t> ipv4_number(std::string_view address);
std::string ipv4_text(std::uint32_t address);
/// The network that an address belongs to.
std::optional<Subnet> subnet_of(std::string_view address, std::uint8_t prefix);
/// Of "10.42.10.2/24"; an address alone is a network of one.
std::optional<Subnet> subnet_of(std::string_view cidr);

}  // namespace relab::agent::sim
