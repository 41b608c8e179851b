#pragma once

/// IPv4 addresses and subnets, as the address plan of a lab needs them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace relab::lab {

/// In host byte order, so that neighbours are neighbours.
struct Ipv4 {
  std::uint32_t bits = 0;

  auto operator<=>(const Ipv4&) const = default;
  std::string text() const;
};

/// Four decimal numbers up to 255, without leading zeros.
std::optional<Ipv4> parse_ipv4(std::string_view text);

struct Subnet {
  Ipv4 base;
  unsigned prefix = 0;

  std::uint32_t mask() const;
  Ipv4 broadcast() const { return {base.bits | ~mask()}; }
  bool contains(Ipv4 address) const { return (address.bits & mask()) == base.bits; }
  bool contains(const Subnet& other) const {
    return other.prefix >= prefix && contains(other.base);
  }
  bool overlaps(const Subnet& other) const { return contains(other) || other.contains(*this); }
  std::string text() const;
};

/// "10.42.10.0/24". The bits behind the prefix may be set; `base` has them cleared.
std::optional<Subnet> parse_subnet(std::string_view text);

}  // namespace relab::lab
