#include "agent/kinds/support/sockets.h"

#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <fmt/format.h>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent {

namespace {

constexpr std::string_view tcp_listen = "0A";
/// The kernel's "closed" is a UDP socket that has no peer.
constexpr std::string_view udp_unconnected = "07";

/// Of the words in a line: number, local address, remote address, state, queues, timer,
/// retransmits, uid, timeout, inode.
constexpr std::size_t local_at = 1;
constexpr std::size_t state_at = 3;
constexpr std::size_t uid_at = 7;
constexpr std::size_t inode_at = 9;

Result<Socket> parse_entry(std::string_view protocol, const std::vector<std::string_view>& parts) {
  const auto local = parts[local_at];
  const auto colon = local.find(':');
  if (colon == std::string_view::npos)
    return fail(Fault::damaged, fmt::format("'{}' is no address with a port", local));
  Socket socket{.protocol = std::string(protocol)};
  RELAB_TRY(socket.address, parse_address(local.substr(0, colon)));
  RELAB_TRY(socket.port, parse_number<std::uint16_t>(local.substr(colon + 1), 16));
  RELAB_TRY(socket.uid, parse_number<std::uint32_t>(parts[uid_at]));
  RELAB_TRY(socket.inode, parse_number<std::uint64_t>(parts[inode_at]));
  return socket;
}

}  // namespace

Result<std::string> parse_address(std::string_view hex) {
  if (hex.size() != 8 && hex.size() != 32)
    return fail(Fault::damaged, fmt::format("'{}' is no address of the kernel's", hex));
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t at = 0; at < hex.size(); at += 8) {
    RELAB_TRY(const auto word, parse_number<std::uint32_t>(hex.substr(at, 8), 16));
    std::memcpy(bytes.data() + at / 2, &word, sizeof word);
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(hex.size() == 8 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
  return std::string(text.data());
}

Result<std::vector<Socket>> parse_sockets(std::string_view protocol, std::string_view table) {
  const auto rows = lines(table);
  if (rows.empty() || !trim(rows[0]).starts_with("sl"))
    return fail(Fault::damaged, fmt::format("the table of {} has no head", protocol));
  const auto wanted = protocol.starts_with("tcp") ? tcp_listen : udp_unconnected;
  std::vector<Socket> sockets;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto parts = words(rows[i]);
    if (parts.size() <= inode_at)
      return fail(Fault::damaged, fmt::format("line {} of the table of {} is cut", i, protocol));
    if (parts[state_at] != wanted) continue;
    RELAB_TRY(auto socket, parse_entry(protocol, parts)
                               .during(fmt::format("line {} of the table of {}", i, protocol)));
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

}  // namespace relab::agent
