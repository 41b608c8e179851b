#include "agent/kinds/network/observe_config.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <set>

#include "agent/kinds/network/interfaces_file.h"
#include "agent/kinds/network/resolver.h"
#include "agent/kinds/support/redact.h"
#include "common/base/text.h"

namespace relab::agent::network {

namespace {

constexpr const char* main_file = "/etc/network/interfaces";
constexpr std::size_t files_max = 100;
constexpr std::size_t host_entries_max = 1000;

/// All stanzas of the main file and of those that it takes in.
struct Configuration {
  std::vector<std::pair<std::string, InterfaceStanza>> stanzas = {};
  std::map<std::string, std::string> starts = {};
  std::set<std::string> seen = {};
};

void add_file(Host& host, const Path& path, Configuration& all, Gaps& gaps);

bool is_folder_name(std::string_view name) {
  return std::ranges::all_of(name, [](unsigned char letter) {
    return std::isalnum(letter) != 0 || letter == '_' || letter == '-';
  });
}

/// The files of a folder whose names suit; a folder that is not there has none.
void add_folder(Host& host, const Path& folder, std::string_view pattern, Configuration& all,
                Gaps& gaps) {
  const auto names = host.list(folder);
  if (!names) {
    if (names.error().fault != Fault::missing) gaps.problem(folder.string(), names.error());
    return;
  }
  for (const auto& name : *names) {
    const bool is_wanted = pattern.empty() ? is_folder_name(name) : suits(name, pattern);
    if (!is_wanted || name.starts_with('.')) continue;
    const auto status = host.status(folder / name);
    if (status && status->type == FileType::directory) continue;
    add_file(host, folder / name, all, gaps);
  }
}

/// Relative names count from the folder of the file they stand in.
void add_sources(Host& host, const Path& path, const InterfacesFile& file, Configuration& all,
                 Gaps& gaps) {
  for (const auto& source : file.sources) {
    const auto target = path.parent_path() / source;
    if (target.parent_path().string().find_first_of("*?[{~$") != std::string::npos)
      gaps.problem(target.string(), "a pattern in the folder's name is more than we follow");
    else
      add_folder(host, target.parent_path(), target.filename().string(), all, gaps);
  }
  for (const auto& folder : file.source_folders)
    add_folder(host, path.parent_path() / folder, "", all, gaps);
}

void add_file(Host& host, const Path& path, Configuration& all, Gaps& gaps) {
  if (!all.seen.insert(path.lexically_normal().string()).second) return;
  if (all.seen.size() > files_max) {
    gaps.problem(path.string(), fmt::format("more than {} files are taken in", files_max));
    return;
  }
  const auto text = host.read_file(path);
  const auto file = text ? parse_interfaces(*text) : fail(text.error());
  if (!file) {
    gaps.problem(path.string(), file.error());
    return;
  }
  for (const auto& stanza : file->stanzas) all.stanzas.emplace_back(path.string(), stanza);
  all.starts.insert(file->starts.begin(), file->starts.end());
  add_sources(host, path, *file, all, gaps);
}

/// The address as it is written; an old netmask goes behind it.
std::string address_of(const InterfaceStanza& stanza) {
  const auto netmask = stanza.get("netmask");
  const auto address = stanza.get("address");
  return netmask.empty() || address.empty() ? address : fmt::format("{}/{}", address, netmask);
}

std::string other_options(const InterfaceStanza& stanza) {
  static constexpr std::array<std::string_view, 6> told = {
      "address", "netmask", "gateway", "bridge-ports", "bridge-vlan-aware", "bridge-vids"};
  std::string text;
  for (const auto& [name, value] : stanza.options) {
    if (std::ranges::find(told, name) != told.end()) continue;
    if (!text.empty()) text += "; ";
    text +=
        fmt::format("{} {}", name, is_secret_name(name) ? std::string(redacted) : redact(value));
  }
  return text;
}

void put(const Configuration& all, FactsBuilder facts) {
  auto list = facts.initConfigured(static_cast<unsigned>(all.stanzas.size()));
  unsigned i = 0;
  for (const auto& [file, stanza] : all.stanzas) {
    auto entry = list[i++];
    entry.setFile(file);
    entry.setLine(stanza.line);
    entry.setName(stanza.name);
    if (const auto start = all.starts.find(stanza.name); start != all.starts.end())
      entry.setStart(start->second);
    entry.setFamily(stanza.family);
    entry.setMethod(stanza.method);
    entry.setAddress(address_of(stanza));
    entry.setGateway(stanza.get("gateway"));
    entry.setBridgePorts(stanza.get("bridge-ports"));
    entry.setVlanAware(stanza.get("bridge-vlan-aware"));
    entry.setBridgeVids(stanza.get("bridge-vids"));
    entry.setOptions(other_options(stanza));
  }
}

void look_for_staged(Host& host, FactsBuilder facts, Gaps& gaps) {
  const auto staged = host.read_file("/etc/network/interfaces.new");
  if (!staged && staged.error().fault == Fault::missing) return;
  facts.setStaged(true);
  const auto current = host.read_file(main_file);
  if (!staged)
    gaps.problem("/etc/network/interfaces.new", staged.error());
  else
    facts.setStagedDiffers(!current || *current != *staged);
}

struct Nameserver {
  std::string address;
  std::string file;
};

/// The search domains of the file.
std::string add_nameservers(Host& host, const std::string& path, std::vector<Nameserver>& all,
                            Gaps& gaps) {
  const auto text = host.read_file(path);
  if (!text) {
    if (text.error().fault == Fault::missing)
      gaps.absent("nameservers", text.error().what);
    else
      gaps.problem(path, text.error());
    return {};
  }
  const auto conf = parse_resolv_conf(*text);
  for (const auto& address : conf.nameservers) all.push_back({.address = address, .file = path});
  return conf.search;
}

void put_nameservers(Host& host, FactsBuilder facts, Gaps& gaps) {
  std::vector<Nameserver> all;
  facts.setSearchDomains(clean_text(add_nameservers(host, "/etc/resolv.conf", all, gaps)));
  // systemd-resolved stands between: whom it asks is written elsewhere.
  if (std::ranges::any_of(all, [](const Nameserver& one) { return one.address == "127.0.0.53"; }))
    add_nameservers(host, "/run/systemd/resolve/resolv.conf", all, gaps);
  auto list = facts.initNameservers(static_cast<unsigned>(all.size()));
  unsigned i = 0;
  for (const auto& nameserver : all) {
    list[i].setAddress(nameserver.address);
    list[i++].setFile(nameserver.file);
  }
}

void put_hosts(const std::vector<HostEntry>& hosts, FactsBuilder facts) {
  auto list = facts.initHosts(static_cast<unsigned>(hosts.size()));
  unsigned i = 0;
  for (const auto& host : hosts) {
    list[i].setAddress(host.address);
    list[i++].setNames(fmt::format("{}", fmt::join(host.names, " ")));
  }
}

}  // namespace

void observe_configured(Host& host, FactsBuilder facts, Gaps& gaps) {
  look_for_staged(host, facts, gaps);
  const auto status = host.status(main_file);
  if (!status && status.error().fault == Fault::missing) {
    gaps.absent("configured interfaces", fmt::format("there is no {}", main_file));
    return;
  }
  Configuration all;
  add_file(host, main_file, all, gaps);
  put(all, facts);
}

void observe_names(Host& host, FactsBuilder facts, Gaps& gaps) {
  put_nameservers(host, facts, gaps);
  const auto hostname = host.read_file("/proc/sys/kernel/hostname");
  if (hostname)
    facts.setHostname(clean_text(trim(*hostname)));
  else
    gaps.problem("hostname", hostname.error());
  const auto text = host.read_file("/etc/hosts");
  if (!text) {
    gaps.problem("/etc/hosts", text.error());
    return;
  }
  auto hosts = parse_hosts(*text);
  const auto own = addresses_of(hostname ? trim(*hostname) : std::string_view(), hosts);
  auto list = facts.initOwnAddresses(static_cast<unsigned>(own.size()));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, own[i]);
  if (hosts.size() > host_entries_max) {
    gaps.problem("/etc/hosts",
                 fmt::format("only {} of {} entries are told", host_entries_max, hosts.size()));
    hosts.resize(host_entries_max);
  }
  put_hosts(hosts, facts);
}

}  // namespace relab::agent::network
