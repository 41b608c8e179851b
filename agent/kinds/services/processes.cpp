#include "agent/kinds/services/processes.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::services {

namespace {

constexpr std::uint32_t kthreadd = 2;

Path folder_of(std::uint32_t pid) { return Path("/proc") / std::to_string(pid); }

/// "Name:\tsshd" as name and value.
std::map<std::string_view, std::string_view> fields_of(std::string_view status) {
  std::map<std::string_view, std::string_view> fields;
  for (const auto line : lines(status))
    if (const auto colon = line.find(':'); colon != std::string_view::npos)
      fields[line.substr(0, colon)] = trim(line.substr(colon + 1));
  return fields;
}

/// Kernels before 6.8 do not say it; there only a kernel thread is a child of kthreadd or itself,
/// without memory of its own.
bool is_kernel_thread(std::map<std::string_view, std::string_view>& fields,
                      const Process& process) {
  if (fields.contains("Kthread")) return fields["Kthread"] == "1";
  const bool is_root = process.pid == kthreadd && process.name == "kthreadd";
  return !fields.contains("VmSize") && (is_root || process.parent == kthreadd);
}

/// Whether all descriptors of the process could be looked at.
bool add_sockets_of(Host& host, std::uint32_t pid, const std::set<std::uint64_t>& inodes,
                    std::map<std::uint64_t, std::uint32_t>& pids) {
  const auto folder = folder_of(pid) / "fd";
  const auto descriptors = host.list(folder);
  if (!descriptors) return descriptors.error().fault == Fault::missing;
  bool complete = true;
  for (const auto& descriptor : *descriptors) {
    const auto target = host.read_link(folder / descriptor);
    if (!target) {
      complete = complete && target.error().fault == Fault::missing;
      continue;
    }
    const auto inode = parse_socket_link(*target);
    if (!inode || !inodes.contains(*inode)) continue;
    const auto [holder, is_new] = pids.emplace(*inode, pid);
    if (!is_new && holder->second == 1) holder->second = pid;
  }
  return complete;
}

}  // namespace

Result<Process> parse_process(std::uint32_t pid, std::string_view status) {
  auto fields = fields_of(status);
  if (!fields.contains("Name") || !fields.contains("PPid") || !fields.contains("Uid"))
    return fail(Fault::damaged, fmt::format("the status of process {} is incomplete", pid));
  const auto uids = fields["Uid"];
  Process process{.pid = pid, .name = std::string(fields["Name"])};
  RELAB_TRY(process.parent, parse_number<std::uint32_t>(fields["PPid"]));
  RELAB_TRY(process.uid, parse_number<std::uint32_t>(uids.substr(0, uids.find_first_of(" \t"))));
  process.is_kernel_thread = is_kernel_thread(fields, process);
  return process;
}

std::string parse_cgroup(std::string_view text) {
  std::string_view systemd;
  for (const auto line : lines(text)) {
    if (line.starts_with("0::") && line != "0::/") return std::string(line.substr(3));
    const auto at = line.find(":name=systemd:");
    if (at != std::string_view::npos)
      systemd = line.substr(at + std::string_view(":name=systemd:").size());
  }
  return systemd.empty() ? "/" : std::string(systemd);
}

std::map<std::uint32_t, std::string> parse_users(std::string_view passwd) {
  std::map<std::uint32_t, std::string> users;
  for (const auto line : lines(passwd)) {
    const auto parts = split(line, ':');
    if (parts.size() < 3) continue;
    if (const auto uid = parse_number<std::uint32_t>(parts[2])) users.emplace(*uid, parts[0]);
  }
  return users;
}

std::optional<std::uint64_t> parse_socket_link(std::string_view target) {
  constexpr std::string_view prefix = "socket:[";
  if (!target.starts_with(prefix) || !target.ends_with(']')) return {};
  target.remove_prefix(prefix.size());
  target.remove_suffix(1);
  const auto inode = parse_number<std::uint64_t>(target);
  return inode ? std::optional(*inode) : std::nullopt;
}

Result<std::vector<std::uint32_t>> process_ids(Host& host) {
  RELAB_TRY(const auto names, host.list("/proc"));
  std::vector<std::uint32_t> pids;
  for (const auto& name : names)
    if (const auto pid = parse_number<std::uint32_t>(name)) pids.push_back(*pid);
  if (pids.empty()) return fail(Fault::damaged, "/proc shows no process");
  std::ranges::sort(pids);
  return pids;
}

Result<Process> read_process(Host& host, std::uint32_t pid) {
  RELAB_TRY(const auto status, host.read_file(folder_of(pid) / "status"));
  RELAB_TRY(auto process, parse_process(pid, status));
  RELAB_TRY(const auto cgroup, host.read_file(folder_of(pid) / "cgroup"));
  process.cgroup = parse_cgroup(cgroup);
  return process;
}

Holders find_holders(Host& host, const std::vector<std::uint32_t>& pids,
                     const std::set<std::uint64_t>& inodes) {
  Holders holders;
  for (const auto pid : pids)
    if (!add_sockets_of(host, pid, inodes, holders.pids)) ++holders.unreadable;
  return holders;
}

}  // namespace relab::agent::services
