#include "agent/kinds/network/resolver.h"

#include <algorithm>
#include <cctype>

#include "common/base/text.h"

namespace relab::agent::network {

namespace {

bool is_same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string joined_from(const std::vector<std::string_view>& parts, std::size_t first) {
  std::string text;
  for (auto i = first; i < parts.size(); ++i) {
    if (!text.empty()) text += ' ';
    text += parts[i];
  }
  return text;
}

}  // namespace

ResolvConf parse_resolv_conf(std::string_view text) {
  ResolvConf conf;
  for (const auto line : lines(text)) {
    const auto parts = words(trim(line));
    if (parts.size() < 2) continue;
    if (parts[0] == "nameserver") conf.nameservers.emplace_back(parts[1]);
    // The last of "search" and "domain" counts.
    if (parts[0] == "search" || parts[0] == "domain") conf.search = joined_from(parts, 1);
  }
  return conf;
}

std::vector<HostEntry> parse_hosts(std::string_view text) {
  std::vector<HostEntry> hosts;
  for (const auto line : lines(text)) {
    const auto parts = words(trim(line.substr(0, line.find('#'))));
    if (parts.size() < 2) continue;
    hosts.push_back({.address = std::string(parts[0]), .names = {parts.begin() + 1, parts.end()}});
  }
  return hosts;
}

std::vector<std::string> addresses_of(std::string_view name, const std::vector<HostEntry>& hosts) {
  std::vector<std::string> addresses;
  for (const auto& host : hosts)
    if (std::ranges::any_of(host.names,
                            [name](const std::string& other) { return is_same_name(name, other); }))
      addresses.push_back(host.address);
  return addresses;
}

}  // namespace relab::agent::network
