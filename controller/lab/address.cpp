#include "controller/lab/address.h"

#include <fmt/format.h>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::lab {

std::string Ipv4::text() const {
  return fmt::format("{}.{}.{}.{}", bits >> 24U, bits >> 16U & 255U, bits >> 8U & 255U,
                     bits & 255U);
}

std::optional<Ipv4> parse_ipv4(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  Ipv4 address;
  for (const auto part : parts) {
    const auto octet = parse_number<std::uint8_t>(part);
    // Some programs read a leading zero as octal.
    if (!octet || (part.size() > 1 && part[0] == '0')) return std::nullopt;
    address.bits = address.bits << 8U | *octet;
  }
  return address;
}

std::uint32_t Subnet::mask() const { return prefix == 0 ? 0 : ~std::uint32_t{0} << (32U - prefix); }

std::string Subnet::text() const { return fmt::format("{}/{}", base.text(), prefix); }

std::optional<Subnet> parse_subnet(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = parse_ipv4(text.substr(0, slash));
  const auto prefix = parse_number<unsigned>(text.substr(slash + 1));
  if (!address || !prefix || *prefix > 32) return std::nullopt;
  Subnet subnet{.base = *address, .prefix = *prefix};
  subnet.base.bits &= subnet.mask();
  return subnet;
}

}  // namespace relab::lab
