#pragma once

/// Processes as /proc shows them, and which of them holds which socket.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent::services {

struct Process {
  std::uint32_t pid = 0;
  std::uint32_t parent = 0;
  std::uint32_t uid = 0;
  std::string name = {};
  std::string cgroup = {};
  bool is_kernel_thread = false;

  bool operator==(const Process&) const = default;
};

/// Out of /proc/PID/status. Fault::damaged where name, parent or user are missing.
Result<Process> parse_process(std::uint32_t pid, std::string_view status);

/// The path in the unified hierarchy, or in systemd's own where that one is not used.
std::string parse_cgroup(std::string_view text);

/// Names by number, out of /etc/passwd.
std::map<std::uint32_t, std::string> parse_users(std::string_view passwd);

/// The inode in "socket:[123]"; nothing for any other link of /proc/PID/fd.
std::optional<std::uint64_t> parse_socket_link(std::string_view target);

/// The numbers among the names in /proc, ascending.
Result<std::vector<std::uint32_t>> process_ids(Host& host);

/// Fault::missing if it has ended meanwhile.
Result<Process> read_process(Host& host, std::uint32_t pid);

/// Who holds the sockets with these inodes, and how many processes would not show what they hold.
struct Holders {
  std::map<std::uint64_t, std::uint32_t> pids;
  std::size_t unreadable = 0;
};

/// Of several holders the one with the least number, but process 1 only if it is alone: it holds
/// what it starts others for.
Holders find_holders(Host& host, const std::vector<std::uint32_t>& pids,
                     const std::set<std::uint64_t>& inodes);

}  // namespace relab::agent::services
