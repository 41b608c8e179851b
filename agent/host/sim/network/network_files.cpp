#include "agent/host/sim/network/network_files.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "agent/host/sim/network/coverage.h"
#include "common/base/text.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Facts = schema::AuditNetwork::Facts::Reader;
using Words = std::vector<std::string>;

constexpr const char* main_file = "/etc/network/interfaces";
/// More than these between two stanzas are left out.
constexpr std::size_t empty_lines_max = 1000;
constexpr const char* usual_folder = "/etc/network/interfaces.d";

void add_new(Words& words, const std::string& word) {
  if (std::ranges::find(words, word) == words.end()) words.push_back(word);
}

std::string stanza_text(schema::AuditNetwork::Configured::Reader stanza) {
  std::string text = fmt::format("iface {}", view(stanza.getName()));
  for (const auto word : {view(stanza.getFamily()), view(stanza.getMethod())})
    if (!word.empty()) text += fmt::format(" {}", word);
  text += '\n';
  const auto add = [&](std::string_view option, std::string_view value) {
    if (!value.empty()) text += fmt::format("\t{} {}\n", option, value);
  };
  add("address", view(stanza.getAddress()));
  add("gateway", view(stanza.getGateway()));
  add("bridge-ports", view(stanza.getBridgePorts()));
  add("bridge-vlan-aware", view(stanza.getVlanAware()));
  add("bridge-vids", view(stanza.getBridgeVids()));
  auto options = view(stanza.getOptions());
  while (!options.empty()) {
    const auto end = std::min(options.find("; "), options.size());
    text += fmt::format("\t{}\n", options.substr(0, end));
    options.remove_prefix(std::min(end + 2, options.size()));
  }
  return text;
}

/// The lines that take the other files in, each where the first of its stanzas is read.
std::string sources_text(Facts facts) {
  std::string text;
  Words seen;
  for (const auto stanza : facts.getConfigured()) {
    const Path file = str(stanza.getFile());
    if (file == main_file) continue;
    const auto pattern = file.parent_path() == usual_folder ? file.parent_path() / "*" : file;
    const auto before = seen.size();
    add_new(seen, pattern.string());
    if (seen.size() != before) text += fmt::format("\nsource {}\n", pattern.string());
  }
  return text;
}

void put_interfaces(SimHost& host, Facts facts) {
  if (is_absent(facts.getCoverage(), "configured interfaces")) return;
  auto text = interfaces_text(facts, main_file) + sources_text(facts);
  if (facts.getStaged())
    // What stands in it, no audit tells: only whether it is the same.
    host.file("/etc/network/interfaces.new",
              text + (facts.getStagedDiffers() ? "\n# another configuration\n" : ""));
  host.file(main_file, std::move(text));
  host.directory(usual_folder);
  for (const auto stanza : facts.getConfigured())
    if (const auto file = str(stanza.getFile()); file != main_file && !is_there(host, file))
      host.file(file, interfaces_text(facts, file));
}

void put_nameservers(SimHost& host, Facts facts) {
  Words files = {"/etc/resolv.conf"};
  for (const auto server : facts.getNameservers()) add_new(files, str(server.getFile()));
  if (is_absent(facts.getCoverage(), "nameservers") && facts.getNameservers().size() == 0) return;
  for (const auto& file : files) {
    std::string text;
    if (file == files[0] && facts.getSearchDomains().size() != 0)
      text = fmt::format("search {}\n", view(facts.getSearchDomains()));
    for (const auto server : facts.getNameservers())
      if (view(server.getFile()) == file)
        text += fmt::format("nameserver {}\n", view(server.getAddress()));
    host.file(file, text);
  }
}

void put_names(SimHost& host, Facts facts) {
  put_nameservers(host, facts);
  const auto hostname = str(facts.getHostname()) + "\n";
  host.file("/proc/sys/kernel/hostname", hostname);
  host.file("/etc/hostname", hostname);
  std::string hosts;
  for (const auto entry : facts.getHosts())
    hosts += fmt::format("{} {}\n", view(entry.getAddress()), view(entry.getNames()));
  host.file("/etc/hosts", hosts);
}

void put_sysctls(SimHost& host, Facts facts) {
  if (!is_absent(facts.getCoverage(), "IPv6")) host.directory("/proc/sys/net/ipv6");
  for (const auto sysctl : facts.getSysctls()) {
    if (sysctl.getValue().size() == 0) continue;
    auto name = str(sysctl.getName());
    std::ranges::replace(name, '.', '/');
    host.file(Path("/proc/sys") / name, str(sysctl.getValue()) + "\n");
  }
}

/// "ipset management" as Proxmox writes it: "[IPSET management]".
std::string heading_of(std::string_view section) {
  std::string text(section);
  if (!text.starts_with("group ")) {
    const auto end = std::min(text.find(' '), text.size());
    std::transform(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), text.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  }
  return fmt::format("[{}]\n\n", text);
}

void put_firewall(SimHost& host, Facts facts, const std::string& node) {
  if (is_absent(facts.getCoverage(), "Proxmox firewall")) return;
  if (!is_there(host, "/etc/pve/.version")) host.file("/etc/pve/.version", "{}");
  host.directory("/etc/pve/nodes/" + node);
  if (!is_there(host, "/etc/pve/local")) host.link("/etc/pve/local", "nodes/" + node);
  Words files;
  for (const auto option : facts.getFirewallOptions()) add_new(files, str(option.getFile()));
  for (const auto line : facts.getFirewallLines()) add_new(files, str(line.getFile()));
  const std::string local = "/etc/pve/local/";
  for (const auto& file : files) {
    const auto where = file.starts_with(local)
                           ? fmt::format("/etc/pve/nodes/{}/{}", node, file.substr(local.size()))
                           : file;
    host.file(where, firewall_text(facts, file));
  }
}

}  // namespace

std::string interfaces_text(Facts facts, std::string_view file) {
  std::string text;
  Words started;
  for (const auto stanza : facts.getConfigured()) {
    if (view(stanza.getFile()) != file) continue;
    const auto name = str(stanza.getName());
    std::string start;
    if (stanza.getStart().size() != 0 && std::ranges::find(started, name) == started.end()) {
      started.push_back(name);
      start = fmt::format("{} {}\n",
                          view(stanza.getStart()) == "hotplug" ? "allow-hotplug" : "auto", name);
    }
    // Where there was a comment, there is an empty line: so each stanza stays on its line.
    const auto line = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    const auto before = line + (start.empty() ? 0U : 1U);
    if (before < stanza.getLine() && stanza.getLine() - before < empty_lines_max)
      text.append(stanza.getLine() - before, '\n');
    text += start + stanza_text(stanza);
  }
  return text;
}

std::string firewall_text(Facts facts, std::string_view file) {
  std::string text;
  std::string section;
  const auto add = [&](const std::string& wanted, const std::string& line) {
    if (section != wanted) text += (text.empty() ? "" : "\n") + heading_of(wanted);
    section = wanted;
    text += line + "\n";
  };
  for (const auto option : facts.getFirewallOptions())
    if (view(option.getFile()) == file)
      add("options", fmt::format("{}: {}", view(option.getName()), view(option.getValue())));
  for (const auto line : facts.getFirewallLines())
    if (view(line.getFile()) == file)
      add(str(line.getSection()), (line.getEnabled() ? "" : "|") + str(line.getLine()));
  return text;
}

void put_network_files(SimHost& host, Facts facts, const std::string& node) {
  put_interfaces(host, facts);
  put_names(host, facts);
  put_sysctls(host, facts);
  put_firewall(host, facts, node);
}

}  // namespace relab::agent::sim
