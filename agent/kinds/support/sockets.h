#pragma once

/// The kernel's tables of sockets (/proc/net/tcp and its kin): which ones wait for the world.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent {

struct Socket {
  std::string protocol = {};
  std::string address = {};
  std::uint16_t port = 0;
  std::uint32_t uid = 0;
  std::uint64_t inode = 0;

  bool operator==(const Socket&) const = default;
};

/// The listening sockets of a "tcp" or "tcp6" table, the unconnected ones of "udp" or "udp6".
/// Fault::damaged for a text without the table's head, or with a line that is no entry.
Result<std::vector<Socket>> parse_sockets(std::string_view protocol, std::string_view table);

/// An address as the kernel prints it (each 32-bit word in hexadecimal, in the machine's byte
/// order) in its usual form.
Result<std::string> parse_address(std::string_view hex);

}  // namespace relab::agent
