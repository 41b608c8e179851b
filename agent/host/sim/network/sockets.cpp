#include "agent/host/sim/network/sockets.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "agent/host/sim/network/coverage.h"
#include "agent/kinds/services/processes.h"
#include "common/base/number.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

constexpr std::uint32_t first_inode = 20000;
/// Where packages put their own users.
constexpr std::uint32_t first_system_user = 100;

Path folder_of(std::uint32_t pid) { return Path("/proc") / std::to_string(pid); }

/// As the kernel prints an address: each 32-bit word in the machine's byte order.
std::string hex_of(const std::string& address) {
  std::array<std::uint8_t, 16> bytes{};
  const bool is_ipv6 = address.find(':') != std::string::npos;
  ::inet_pton(is_ipv6 ? AF_INET6 : AF_INET, address.c_str(), bytes.data());
  std::string text;
  for (std::size_t at = 0; at < (is_ipv6 ? 16U : 4U); at += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    text += fmt::format("{:08X}", word);
  }
  return text;
}

std::string status_text(const services::Process& process) {
  return fmt::format(
      "Name:\t{0}\nState:\tS (sleeping)\nTgid:\t{1}\nPid:\t{1}\nPPid:\t{2}\nUid:\t{3}\t{3}\t{3}\t"
      "{3}\nGid:\t{3}\t{3}\t{3}\t{3}\nVmSize:\t   10000 kB\n",
      process.name, process.pid, process.parent, process.uid);
}

void put(SimHost& host, const services::Process& process) {
  const auto folder = folder_of(process.pid);
  host.file(folder / "status", status_text(process));
  host.file(folder / "cgroup", fmt::format("0::{}\n", process.cgroup));
  host.file(folder / "comm", process.name + "\n");
  host.directory(folder / "fd");
}

ListeningSocket socket_of(schema::AuditServices::Socket::Reader told) {
  return {.protocol = str(told.getProtocol()),
          .address = str(told.getAddress()),
          .port = told.getPort(),
          .user = str(told.getUser()),
          .pid = told.getPid(),
          .process = str(told.getProcess()),
          .cgroup = str(told.getCgroup())};
}

bool is_any(std::string_view address) { return address == "0.0.0.0" || address == "::"; }

}  // namespace

Sockets::Sockets(SimHost& host, schema::AuditServices::Facts::Reader facts) : host_(host) {
  for (const auto* table : {"tcp", "tcp6", "udp", "udp6"})
    if (!is_absent(facts.getCoverage(), fmt::format("{} sockets", table))) tables_.insert(table);
  for (const auto told : facts.getProcesses())
    put(host_, {.pid = told.getPid(),
                .parent = told.getParent(),
                .uid = number_of(str(told.getUser())),
                .name = str(told.getName()),
                .cgroup = str(told.getCgroup())});
  for (const auto told : facts.getSockets()) sockets_.push_back(socket_of(told));
  for (const auto& socket : sockets_) put_process(socket);
  const auto init = facts.getInit().size() == 0 ? std::string("systemd") : str(facts.getInit());
  if (!sim::is_there(host_, "/proc/1/status"))
    put(host_, {.pid = 1, .name = init, .cgroup = "/init.scope"});
  host_.file("/proc/1/comm", init + "\n");
  if (!is_absent(facts.getCoverage(), "systemd units")) host_.directory("/run/systemd/system");
  put_tables();
}

void Sockets::put_process(const ListeningSocket& socket) {
  // One that ended while it was looked at has left nothing but its number.
  if (socket.pid == 0) return;
  host_.directory(folder_of(socket.pid) / "fd");
  if (socket.process.empty() || sim::is_there(host_, folder_of(socket.pid) / "status")) return;
  put(host_, {.pid = socket.pid,
              .parent = socket.pid == 1 ? 0U : 1U,
              .uid = number_of(socket.user),
              .name = socket.process,
              .cgroup = socket.cgroup});
}

std::uint32_t Sockets::number_of(const std::string& user) {
  if (const auto number = parse_number<std::uint32_t>(user)) return *number;
  const auto passwd = host_.read_file("/etc/passwd").value_or("");
  const auto users = services::parse_users(passwd);
  for (const auto& [number, name] : users)
    if (name == user) return number;
  std::uint32_t number = user == "root" ? 0 : first_system_user;
  while (users.contains(number)) ++number;
  host_.file("/etc/passwd", fmt::format("{0}{1}:x:{2}:{2}::/nonexistent:/usr/sbin/nologin\n",
                                        passwd, user, number));
  return number;
}

bool Sockets::is_there(const ListeningSocket& socket) const {
  return socket.unit().empty() || !stopped_.contains(socket.unit());
}

void Sockets::put_tables() {
  std::map<std::string, std::string> tables;
  std::uint32_t inode = first_inode;
  std::size_t row = 0;
  for (const auto& socket : sockets_) {
    const auto descriptor = folder_of(socket.pid) / "fd" / std::to_string(++inode);
    if (!is_there(socket)) {
      host_.remove(descriptor);
      continue;
    }
    if (socket.pid != 0) host_.link(descriptor, fmt::format("socket:[{}]", inode));
    tables[socket.protocol] += socket_table_row(row++, socket, number_of(socket.user), inode);
  }
  for (const auto& table : tables_)
    host_.file(Path("/proc/net") / table, socket_table_head() + tables[table]);
}

std::string socket_table_head() {
  return "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
         "timeout inode\n";
}

std::string socket_table_row(std::size_t number, const ListeningSocket& socket, std::uint32_t uid,
                             std::uint32_t inode) {
  const bool is_tcp = socket.protocol.starts_with("tcp");
  const auto nowhere = hex_of(socket.protocol.ends_with('6') ? "::" : "0.0.0.0");
  return fmt::format(
      "{:4}: {}:{:04X} {}:0000 {} 00000000:00000000 00:00000000 00000000 {:5}        0 {} 1 "
      "0000000000000000 100 0 0 10 0\n",
      number, hex_of(socket.address), socket.port, nowhere, is_tcp ? "0A" : "07", uid, inode);
}

bool Sockets::accepts(std::string_view address, std::uint16_t port) const {
  const bool is_ipv6 = address.find(':') != std::string_view::npos;
  return std::ranges::any_of(sockets_, [&](const ListeningSocket& socket) {
    if (!socket.protocol.starts_with("tcp") || socket.port != port || !is_there(socket))
      return false;
    // What listens on all of IPv6 takes IPv4, too, unless it was told otherwise: few are.
    if (is_any(socket.address)) return !is_ipv6 || socket.address == "::";
    return socket.address == address || socket.address == "::ffff:" + std::string(address);
  });
}

void Sockets::listen(ListeningSocket socket) {
  put_process(socket);
  sockets_.push_back(std::move(socket));
  put_tables();
}

std::set<std::string> Sockets::units() const {
  std::set<std::string> units;
  for (const auto& socket : sockets_)
    if (!socket.unit().empty()) units.insert(socket.unit());
  return units;
}

void Sockets::stop(const std::string& unit) {
  stopped_.insert(unit);
  put_tables();
}

void Sockets::start(const std::string& unit) {
  stopped_.erase(unit);
  put_tables();
}

}  // namespace relab::agent::sim
