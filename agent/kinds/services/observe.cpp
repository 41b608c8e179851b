#include "agent/kinds/services/observe.h"

#include <fmt/format.h>

#include "agent/kinds/services/units.h"
#include "agent/kinds/support/sockets.h"
#include "agent/kinds/support/systemd.h"
#include "common/base/text.h"

namespace relab::agent::services {

namespace {

constexpr std::size_t table_size_max = std::size_t{16} << 20U;
constexpr std::size_t processes_max = 4096;

using Users = std::map<std::uint32_t, std::string>;

std::string user_name(const Users& users, std::uint32_t uid) {
  const auto found = users.find(uid);
  return found == users.end() ? std::to_string(uid) : found->second;
}

/// Names are a convenience: without them the numbers stay.
Users read_users(Host& host, Gaps& gaps) {
  const auto passwd = host.read_file("/etc/passwd");
  if (!passwd && passwd.error().fault != Fault::missing)
    gaps.problem("names of users", passwd.error());
  return passwd ? parse_users(*passwd) : Users{};
}

void put(const std::vector<Unit>& units, FactsBuilder facts) {
  auto list = facts.initUnits(static_cast<unsigned>(units.size()));
  unsigned i = 0;
  for (const auto& unit : units) {
    auto entry = list[i++];
    entry.setName(unit.name);
    entry.setLoad(unit.load);
    entry.setActive(unit.active);
    entry.setSub(unit.sub);
    entry.setDescription(unit.description);
  }
}

void put(const std::vector<UnitFile>& files, FactsBuilder facts) {
  auto list = facts.initUnitFiles(static_cast<unsigned>(files.size()));
  unsigned i = 0;
  for (const auto& file : files) {
    auto entry = list[i++];
    entry.setName(file.name);
    entry.setState(file.state);
    entry.setPreset(file.preset);
  }
}

Result<std::vector<Unit>> read_units(Host& host) {
  RELAB_TRY(const auto text, output_of(host, {.argv = {"systemctl", "list-units", "--all",
                                                       "--no-pager", "--output=json"}}));
  RELAB_TRY(auto units, parse_units(text));
  std::erase_if(units, [](const Unit& unit) { return is_noise(unit); });
  return units;
}

Result<std::vector<UnitFile>> read_unit_files(Host& host) {
  RELAB_TRY(
      const auto text,
      output_of(host, {.argv = {"systemctl", "list-unit-files", "--no-pager", "--output=json"}}));
  RELAB_TRY(auto files, parse_unit_files(text));
  std::erase_if(files, [](const UnitFile& file) { return is_noise(file); });
  return files;
}

std::vector<Socket> read_sockets(Host& host, Gaps& gaps) {
  std::vector<Socket> all;
  for (const std::string protocol : {"tcp", "tcp6", "udp", "udp6"}) {
    const auto part = fmt::format("{} sockets", protocol);
    const auto table = host.read_file(Path("/proc/net") / protocol, table_size_max);
    if (!table) {
      if (table.error().fault == Fault::missing && protocol.ends_with('6'))
        gaps.absent(part, "IPv6 is off in this kernel");
      else
        gaps.problem(part, table.error());
      continue;
    }
    const auto sockets = parse_sockets(protocol, *table);
    if (!sockets) {
      gaps.problem(part, sockets.error());
      continue;
    }
    all.insert(all.end(), sockets->begin(), sockets->end());
  }
  return all;
}

/// Whether the agent has every right: what it still cannot see, nobody can.
bool is_root(Host& host) {
  const auto status = host.read_file("/proc/self/status");
  if (!status) return false;
  for (const auto line : lines(*status))
    if (line.starts_with("Uid:")) return words(line).size() > 2 && words(line)[2] == "0";
  return false;
}

/// Also says so where a socket stays without a process and one that may hold it is closed to us.
Holders holders_of(Host& host, const std::vector<std::uint32_t>& pids,
                   const std::vector<Socket>& sockets, Gaps& gaps) {
  std::set<std::uint64_t> inodes;
  for (const auto& socket : sockets) inodes.insert(socket.inode);
  auto holders = find_holders(host, pids, inodes);
  if (holders.unreadable == 0 || holders.pids.size() >= inodes.size()) return holders;
  auto why = fmt::format(
      "{} of {} listening sockets have no known process, and the processes that hide what they "
      "hold "
      "are {}",
      inodes.size() - holders.pids.size(), inodes.size(), holders.unreadable);
  // The sockets themselves are all listed. A process may hide even from root; for anybody else the
  // cure is to be root.
  if (is_root(host))
    gaps.absent("processes of sockets", std::move(why));
  else
    gaps.problem("processes of sockets", why + "; the agent is not root");
  return holders;
}

void put_holder(Host& host, std::uint32_t pid, schema::AuditServices::Socket::Builder entry,
                Gaps& gaps) {
  entry.setPid(pid);
  // It may have ended since: then its number stays alone.
  const auto process = read_process(host, pid);
  if (!process && process.error().fault != Fault::missing)
    gaps.problem(fmt::format("process {}", pid), process.error());
  if (!process) return;
  entry.setProcess(process->name);
  entry.setCgroup(process->cgroup);
}

std::vector<Process> read_processes(Host& host, const std::vector<std::uint32_t>& pids,
                                    Gaps& gaps) {
  std::vector<Process> processes;
  for (const auto pid : pids) {
    auto process = read_process(host, pid);
    if (!process) {
      if (process.error().fault != Fault::missing)
        gaps.problem(fmt::format("process {}", pid), process.error());
      continue;
    }
    if (!process->is_kernel_thread) processes.push_back(std::move(*process));
  }
  if (processes.size() > processes_max) {
    gaps.problem("processes",
                 fmt::format("only {} of {} are listed", processes_max, processes.size()));
    processes.resize(processes_max);
  }
  return processes;
}

}  // namespace

std::string init_name(Host& host, Gaps& gaps) {
  const auto name = host.read_file("/proc/1/comm");
  if (name) return clean_text(trim(*name));
  gaps.problem("process 1", name.error());
  return {};
}

bool observe_units(Host& host, FactsBuilder facts, Gaps& gaps) {
  if (!systemd_runs(host)) {
    gaps.absent("systemd units", std::string(no_systemd));
    return false;
  }
  if (const auto units = read_units(host))
    put(*units, facts);
  else
    gaps.problem("systemd units", units.error());
  if (const auto files = read_unit_files(host))
    put(*files, facts);
  else
    gaps.problem("systemd unit files", files.error());
  return true;
}

void observe_sockets(Host& host, const std::vector<std::uint32_t>& pids, FactsBuilder facts,
                     Gaps& gaps) {
  const auto sockets = read_sockets(host, gaps);
  const auto holders = holders_of(host, pids, sockets, gaps);
  const auto users = read_users(host, gaps);
  auto list = facts.initSockets(static_cast<unsigned>(sockets.size()));
  unsigned i = 0;
  for (const auto& socket : sockets) {
    auto entry = list[i++];
    entry.setProtocol(socket.protocol);
    entry.setAddress(socket.address);
    entry.setPort(socket.port);
    entry.setUser(user_name(users, socket.uid));
    if (const auto holder = holders.pids.find(socket.inode); holder != holders.pids.end())
      put_holder(host, holder->second, entry, gaps);
  }
}

void observe_processes(Host& host, const std::vector<std::uint32_t>& pids, FactsBuilder facts,
                       Gaps& gaps) {
  const auto processes = read_processes(host, pids, gaps);
  const auto users = read_users(host, gaps);
  auto list = facts.initProcesses(static_cast<unsigned>(processes.size()));
  unsigned i = 0;
  for (const auto& process : processes) {
    auto entry = list[i++];
    entry.setPid(process.pid);
    entry.setParent(process.parent);
    entry.setName(process.name);
    entry.setUser(user_name(users, process.uid));
    entry.setCgroup(process.cgroup);
  }
}

}  // namespace relab::agent::services
