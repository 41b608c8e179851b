#include "agent/kinds/network/observe_filter.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/network/packet_filter.h"
#include "agent/kinds/network/pve_firewall.h"
#include "agent/kinds/support/pve_mount.h"
#include "common/base/text.h"

namespace relab::agent::network {

namespace {

constexpr std::size_t ruleset_size_max = std::size_t{16} << 20U;
constexpr std::size_t firewall_lines_max = 2000;

Result<Nft> read_nft(Host& host) {
  RELAB_TRY(const auto text, output_of(host, {.argv = {"nft", "--json", "list", "ruleset"},
                                              .output_max = ruleset_size_max}));
  return parse_nft(text);
}

Result<Iptables> read_iptables(Host& host, const std::string& family, const std::string& program) {
  RELAB_TRY(const auto text, output_of(host, {.argv = {program}, .output_max = ruleset_size_max}));
  return parse_iptables_save(family, text);
}

/// Whether the kernel holds tables of the older kind, which nft does not show.
bool has_old_tables(Host& host, const std::string& family, Gaps& gaps) {
  const auto names = host.read_file(fmt::format("/proc/net/{}_tables_names", family));
  if (names) return !trim(*names).empty();
  if (names.error().fault != Fault::missing)
    gaps.problem(fmt::format("{}tables", family), names.error());
  return false;
}

void tell_cut(const std::string& program, std::size_t told, const Cut& cut, Gaps& gaps) {
  const auto part = fmt::format("rules of {}", program);
  const auto all = told + cut.left_out;
  if (cut.left_out > 0) gaps.problem(part, fmt::format("only {} of {} rules are told", told, all));
  if (cut.too_long > 0)
    gaps.problem(part,
                 fmt::format("{} of {} rules have more than {} bytes and are told without their "
                             "content",
                             cut.too_long, told, rule_size_max));
}

/// The older tables beside nft, or all that there is without it.
Iptables read_all_iptables(Host& host, bool has_nft, Gaps& gaps) {
  Iptables all;
  for (const std::string family : {"ip", "ip6"}) {
    const bool is_in_use = has_old_tables(host, family, gaps);
    if (has_nft && !is_in_use) continue;
    const auto name = fmt::format("{}tables", family);
    const auto found =
        read_iptables(host, family, fmt::format("{}-{}save", name, has_nft ? "legacy-" : ""));
    if (found) {
      all.chains.insert(all.chains.end(), found->chains.begin(), found->chains.end());
      all.rules.insert(all.rules.end(), found->rules.begin(), found->rules.end());
      tell_cut(name, found->rules.size(), found->cut, gaps);
    } else if (found.error().fault == Fault::missing && !is_in_use) {
      gaps.absent(name, found.error().what);
    } else {
      gaps.problem(name, found.error());
    }
  }
  return all;
}

void put(const std::vector<Chain>& chains, FactsBuilder facts) {
  auto list = facts.initChains(static_cast<unsigned>(chains.size()));
  unsigned i = 0;
  for (const auto& chain : chains) {
    auto entry = list[i++];
    entry.setProgram(chain.program);
    entry.setFamily(chain.family);
    entry.setTable(chain.table);
    entry.setName(chain.name);
    entry.setHook(chain.hook);
    entry.setPriority(chain.priority);
    entry.setPolicy(chain.policy);
    entry.setRules(chain.rules);
  }
}

void put(const std::vector<NftRule>& rules, FactsBuilder facts) {
  auto list = facts.initNftRules(static_cast<unsigned>(rules.size()));
  unsigned i = 0;
  for (const auto& rule : rules) {
    auto entry = list[i++];
    entry.setFamily(rule.family);
    entry.setTable(rule.table);
    entry.setChain(rule.chain);
    entry.setComment(rule.comment);
    entry.setExpression(clean_text(rule.expression));
  }
}

void put(const std::vector<IptablesRule>& rules, FactsBuilder facts) {
  auto list = facts.initIptablesRules(static_cast<unsigned>(rules.size()));
  unsigned i = 0;
  for (const auto& rule : rules) {
    auto entry = list[i++];
    entry.setFamily(rule.family);
    entry.setTable(rule.table);
    entry.setChain(rule.chain);
    entry.setRule(clean_text(rule.rule));
  }
}

struct FirewallConfig {
  std::vector<std::pair<std::string, std::pair<std::string, std::string>>> options = {};
  std::vector<std::pair<std::string, FirewallLine>> lines = {};
};

void add_firewall_file(Host& host, const Path& path, FirewallConfig& all, Gaps& gaps) {
  const auto text = host.read_file(path);
  if (!text && text.error().fault == Fault::missing) return;
  const auto file = text ? parse_firewall(*text) : fail(text.error());
  if (!file) {
    gaps.problem(path.string(), file.error());
    return;
  }
  for (const auto& option : file->options) all.options.emplace_back(path.string(), option);
  for (const auto& line : file->lines) all.lines.emplace_back(path.string(), line);
}

FirewallConfig read_firewall_config(Host& host, Gaps& gaps) {
  FirewallConfig all;
  const Path folder = "/etc/pve/firewall";
  const auto names = host.list(folder);
  if (!names && names.error().fault != Fault::missing) gaps.problem(folder.string(), names.error());
  if (names)
    for (const auto& name : *names)
      if (name.ends_with(".fw")) add_firewall_file(host, folder / name, all, gaps);
  add_firewall_file(host, "/etc/pve/local/host.fw", all, gaps);
  if (all.lines.size() > firewall_lines_max) {
    gaps.problem("Proxmox firewall",
                 fmt::format("only {} of {} lines are told", firewall_lines_max, all.lines.size()));
    all.lines.resize(firewall_lines_max);
  }
  return all;
}

void put(const FirewallConfig& all, FactsBuilder facts) {
  auto options = facts.initFirewallOptions(static_cast<unsigned>(all.options.size()));
  unsigned i = 0;
  for (const auto& [file, option] : all.options) {
    auto entry = options[i++];
    entry.setFile(file);
    entry.setName(option.first);
    entry.setValue(option.second);
  }
  auto list = facts.initFirewallLines(static_cast<unsigned>(all.lines.size()));
  i = 0;
  for (const auto& [file, line] : all.lines) {
    auto entry = list[i++];
    entry.setFile(file);
    entry.setSection(line.section);
    entry.setLine(line.line);
    entry.setEnabled(line.enabled);
  }
}

Result<std::string> read_firewall_status(Host& host) {
  RELAB_TRY(const auto text, output_of(host, {.argv = {"pve-firewall", "status"}}));
  return parse_firewall_status(text);
}

Result<Ufw> read_ufw(Host& host) {
  RELAB_TRY(const auto text, output_of(host, {.argv = {"ufw", "status", "verbose"}}));
  return parse_ufw(text);
}

}  // namespace

void observe_packet_filter(Host& host, FactsBuilder facts, Gaps& gaps) {
  std::vector<Chain> chains;
  const auto nft = read_nft(host);
  if (nft) {
    chains = nft->chains;
    put(nft->rules, facts);
    tell_cut("nftables", nft->rules.size(), nft->cut, gaps);
  } else if (nft.error().fault == Fault::missing) {
    gaps.absent("nftables", nft.error().what);
  } else {
    gaps.problem("nftables", nft.error());
  }
  const auto older = read_all_iptables(host, nft.has_value(), gaps);
  chains.insert(chains.end(), older.chains.begin(), older.chains.end());
  put(chains, facts);
  put(older.rules, facts);
}

void observe_ufw(Host& host, FactsBuilder facts, Gaps& gaps) {
  const auto ufw = read_ufw(host);
  if (!ufw) {
    if (ufw.error().fault == Fault::missing)
      gaps.absent("ufw", ufw.error().what);
    else
      gaps.problem("ufw", ufw.error());
    return;
  }
  facts.setUfw(ufw->status);
  facts.setUfwDefaults(ufw->defaults);
  auto rules = facts.initUfwRules(static_cast<unsigned>(ufw->rules.size()));
  for (unsigned i = 0; i < rules.size(); ++i) rules.set(i, ufw->rules[i]);
}

void observe_pve_firewall(Host& host, FactsBuilder facts, Gaps& gaps) {
  const auto has_proxmox = has_pve_config(host);
  if (!has_proxmox) {
    gaps.problem("Proxmox firewall", has_proxmox.error());
    return;
  }
  if (!*has_proxmox) {
    gaps.absent("Proxmox firewall", "no Proxmox VE on this machine");
    return;
  }
  put(read_firewall_config(host, gaps), facts);
  if (const auto status = read_firewall_status(host))
    facts.setProxmoxFirewall(*status);
  else
    gaps.problem("status of Proxmox's firewall", status.error());
}

}  // namespace relab::agent::network
