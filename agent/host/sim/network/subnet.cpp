#include "agent/host/sim/network/subnet.h"

#include <arpa/inet.h>
#include <array>
#include <fmt/format.h>

#include "common/base/number.h"

namespace relab::agent::sim {

namespace {

constexpr std::uint8_t bits = 32;

std::uint32_t mask_of(std::uint8_t prefix) {
  return prefix == 0 ? 0 : ~std::uint32_t{0} << static_cast<unsigned>(bits - prefix);
}

}  // namespace

bool Subnet::contains(std::uint32_t address) const {
  return (address & mask_of(prefix)) == network;
}

std::string Subnet::text() const {
  return prefix == bits ? ipv4_text(network) : fmt::format("{}/{}", ipv4_text(network), prefix);
}

std::optional<std::uint32_t> ipv4_number(std::string_view address) {
  in_addr parsed{};
  if (::inet_pton(AF_INET, std::string(address).c_str(), &parsed) != 1) return {};
  return ntohl(parsed.s_addr);
}

std::string ipv4_text(std::uint32_t address) {
  const in_addr raw{.s_addr = htonl(address)};
  std::array<char, INET_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET, &raw, text.data(), text.size());
  return text.data();
}

std::optional<Subnet> subnet_of(std::string_view address, std::uint8_t prefix) {
  const auto number = ipv4_number(address);
  if (!number || prefix > bits) return {};
  return Subnet{.network = *number & mask_of(prefix), .prefix = prefix};
}

std::optional<Subnet> subnet_of(std::string_view cidr) {
  const auto slash = cidr.find('/');
  if (slash == std::string_view::npos) return subnet_of(cidr, bits);
  const auto prefix = parse_number<std::uint8_t>(cidr.substr(slash + 1));
  if (!prefix) return {};
  return subnet_of(cidr.substr(0, slash), *prefix);
}

}  // namespace relab::agent::sim
