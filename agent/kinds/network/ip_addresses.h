#pragma once

/// The IPv4 addresses of one interface of the running system.

#include "agent/kinds/kind.h"

namespace relab::agent::network {

/// Missing addresses are added before surplus ones are removed. The kernel drops the other
/// addresses of a subnet with its first one, and all routes of an interface with its last address:
/// a removal puts back whatever else went with the address.
struct IpAddresses {
  static constexpr std::string_view arm = "ipAddresses";
  using Params = schema::IpAddresses;
  using Facts = schema::IpAddresses::Facts;
  /// Fault::missing if there is no such interface.
  static Result<Message<Facts>> observe(Params::Reader params, Host& host);
  static Result<std::vector<Change>> plan(Params::Reader params, Facts::Reader facts);
  static Result<void> apply(const Change& change, Host& host);
  /// Addresses that came meanwhile by another hand stay.
  static std::vector<Change> revert(Params::Reader params, Facts::Reader before, Facts::Reader now);
};
static_assert(RevertibleKind<IpAddresses>);

}  // namespace relab::agent::network
