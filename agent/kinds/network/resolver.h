#pragma once

/// Who is asked for names: /etc/resolv.conf and /etc/hosts.

#include <string>
#include <string_view>
#include <vector>

namespace relab::agent::network {

struct ResolvConf {
  std::vector<std::string> nameservers = {};
  std::string search = {};
};

/// Takes any text: the C library passes over what it does not know, too.
ResolvConf parse_resolv_conf(std::string_view text);

struct HostEntry {
  std::string address = {};
  std::vector<std::string> names = {};

  bool operator==(const HostEntry&) const = default;
};

/// Takes any text, as above.
std::vector<HostEntry> parse_hosts(std::string_view text);

/// The addresses that the entries give to a name, in whichever case it is written.
std::vector<std::string> addresses_of(std::string_view name, const std::vector<HostEntry>& hosts);

}  // namespace relab::agent::network
