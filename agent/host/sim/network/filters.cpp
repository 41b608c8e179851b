#include "agent/host/sim/network/filters.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "agent/host/sim/network/coverage.h"
#include "agent/kinds/network/packet_filter.h"
#include "agent/kinds/support/json.h"
#include "common/wire/message.h"

namespace relab::agent::sim {

namespace {

using Facts = schema::AuditNetwork::Facts::Reader;
using Chain = schema::AuditNetwork::Chain::Reader;
using Words = std::vector<std::string>;

/// In place of a content that was too long to be told.
const std::string unknown_content(network::rule_size_max, '?');

/// No audit tells it; a chain that changes addresses has the priority of one.
std::string type_of(Chain chain) {
  constexpr std::int32_t before_routing = -100;
  constexpr std::int32_t after_routing = 100;
  const auto priority = chain.getPriority();
  return priority == before_routing || priority == after_routing ? "nat" : "filter";
}

Json chain_json(Chain chain, std::size_t handle) {
  Json row = {{"family", str(chain.getFamily())},
              {"table", str(chain.getTable())},
              {"name", str(chain.getName())},
              {"handle", handle}};
  if (chain.getHook().size() != 0) {
    row["type"] = type_of(chain);
    row["hook"] = str(chain.getHook());
    row["prio"] = chain.getPriority();
  }
  if (chain.getPolicy().size() != 0) row["policy"] = str(chain.getPolicy());
  return {{"chain", row}};
}

Json rule_json(Chain chain, std::size_t handle, Json expressions, const std::string& comment) {
  Json row = {{"family", str(chain.getFamily())},
              {"table", str(chain.getTable())},
              {"chain", str(chain.getName())},
              {"handle", handle},
              {"expr", std::move(expressions)}};
  if (!comment.empty()) row["comment"] = comment;
  return {{"rule", row}};
}

Json expressions_of(schema::AuditNetwork::NftRule::Reader rule) {
  auto known = parse_json(view(rule.getExpression()), "a rule of nft");
  if (known && known->is_array()) return *std::move(known);
  return Json::array({{{"xt", {{"type", "match"}, {"name", unknown_content}}}}});
}

bool is_of(schema::AuditNetwork::NftRule::Reader rule, Chain chain) {
  return view(rule.getFamily()) == view(chain.getFamily()) &&
         view(rule.getTable()) == view(chain.getTable()) &&
         view(rule.getChain()) == view(chain.getName());
}

bool is_of(schema::AuditNetwork::IptablesRule::Reader rule, Chain chain) {
  return view(rule.getFamily()) == view(chain.getFamily()) &&
         view(rule.getTable()) == view(chain.getTable()) &&
         view(rule.getChain()) == view(chain.getName());
}

std::vector<Chain> chains_of(Facts facts, std::string_view program, std::string_view family = {}) {
  std::vector<Chain> chains;
  for (const auto chain : facts.getChains())
    if (view(chain.getProgram()) == program &&
        (family.empty() || view(chain.getFamily()) == family))
      chains.push_back(chain);
  return chains;
}

/// How many rules of a chain the audit has counted beyond those that it tells.
template <typename Rules>
std::uint32_t untold(Chain chain, const Rules& rules) {
  std::uint32_t told = 0;
  for (const auto rule : rules)
    if (is_of(rule, chain)) ++told;
  return chain.getRules() > told ? chain.getRules() - told : 0;
}

/// Each table once, in the order of their chains.
Words tables_of(const std::vector<Chain>& chains) {
  Words tables;
  for (const auto chain : chains)
    if (std::ranges::find(tables, view(chain.getTable())) == tables.end())
      tables.push_back(str(chain.getTable()));
  return tables;
}

std::string rules_text(const std::vector<Chain>& chains, Facts facts, const std::string& table) {
  std::string text;
  for (const auto chain : chains) {
    if (view(chain.getTable()) != table) continue;
    const auto begin = fmt::format("-A {}", view(chain.getName()));
    for (const auto rule : facts.getIptablesRules()) {
      if (!is_of(rule, chain)) continue;
      const bool is_told = rule.getRule().size() != 0;
      text += is_told ? str(rule.getRule())
                      : fmt::format("{} -m comment --comment {}", begin, unknown_content);
      text += '\n';
    }
    for (auto left = untold(chain, facts.getIptablesRules()); left > 0; --left)
      text += begin + "\n";
  }
  return text;
}

/// A program that knows one line of arguments.
void answer_one(SimHost& host, const std::string& name, const Words& arguments, std::string out) {
  host.program(name,
               [&host, arguments, out = std::move(out)](const Command& command) -> Result<Output> {
                 const auto& argv = command.argv;
                 if (Words(argv.begin() + 1, argv.end()) != arguments)
                   return host.does_not_know(command);
                 return Output{.out = out};
               });
}

void put_iptables(SimHost& host, Facts facts, bool has_nft) {
  for (const std::string family : {"ip", "ip6"}) {
    const auto name = family + "tables";
    const auto text = iptables_text(facts, family);
    if (is_absent(facts.getCoverage(), name)) {
      leave_out(host, name + "-save");
    } else if (!has_nft) {
      answer_one(host, name + "-save", {}, text);
    } else if (!text.empty()) {
      answer_one(host, name + "-legacy-save", {}, text);
      // What the older kind has loaded in the kernel.
      std::string names;
      for (const auto& table : tables_of(chains_of(facts, "iptables", family)))
        names += table + "\n";
      host.file("/proc/net/" + family + "_tables_names", names);
    }
  }
}

std::string ufw_text(Facts facts) {
  if (facts.getUfwDefaults().size() == 0 && facts.getUfwRules().size() == 0)
    return fmt::format("Status: {}\n", view(facts.getUfw()));
  auto text = fmt::format("Status: {}\nLogging: on (low)\nDefault: {}\nNew profiles: skip\n",
                          view(facts.getUfw()), view(facts.getUfwDefaults()));
  if (facts.getUfwRules().size() == 0) return text;
  text +=
      "\nTo                         Action      From\n"
      "--                         ------      ----\n";
  for (const auto rule : facts.getUfwRules()) text += str(rule) + "\n";
  return text + "\n";
}

}  // namespace

std::string nft_text(Facts facts) {
  auto rows = Json::array({{{"metainfo",
                             {{"version", "1.1.3"},
                              {"release_name", "Commodore Bullmoose #4"},
                              {"json_schema_version", 1}}}}});
  const auto chains = chains_of(facts, "nft");
  std::size_t handle = 0;
  std::vector<std::pair<std::string_view, std::string_view>> tables;
  for (const auto chain : chains) {
    const std::pair table(view(chain.getFamily()), view(chain.getTable()));
    if (std::ranges::find(tables, table) != tables.end()) continue;
    tables.push_back(table);
    rows.push_back({{"table",
                     {{"family", std::string(table.first)},
                      {"name", std::string(table.second)},
                      {"handle", ++handle}}}});
  }
  for (const auto chain : chains) rows.push_back(chain_json(chain, ++handle));
  for (const auto rule : facts.getNftRules())
    for (const auto chain : chains)
      if (is_of(rule, chain))
        rows.push_back(rule_json(chain, ++handle, expressions_of(rule), str(rule.getComment())));
  for (const auto chain : chains)
    for (auto left = untold(chain, facts.getNftRules()); left > 0; --left)
      rows.push_back(rule_json(chain, ++handle, Json::array(), {}));
  return Json{{"nftables", rows}}.dump() + "\n";
}

std::string iptables_text(Facts facts, std::string_view family) {
  const auto chains = chains_of(facts, "iptables", family);
  std::string text;
  for (const auto& table : tables_of(chains)) {
    text += "*" + table + "\n";
    for (const auto chain : chains)
      if (view(chain.getTable()) == table)
        text += fmt::format(":{} {} [0:0]\n", view(chain.getName()),
                            chain.getPolicy().size() == 0 ? "-" : view(chain.getPolicy()));
    text += rules_text(chains, facts, table) + "COMMIT\n";
  }
  return text;
}

void put_filters(SimHost& host, Facts facts) {
  const auto coverage = facts.getCoverage();
  const bool has_nft = !is_absent(coverage, "nftables");
  if (has_nft)
    answer_one(host, "nft", {"--json", "list", "ruleset"}, nft_text(facts));
  else
    leave_out(host, "nft");
  put_iptables(host, facts, has_nft);
  if (is_absent(coverage, "ufw"))
    leave_out(host, "ufw");
  else
    answer_one(host, "ufw", {"status", "verbose"}, ufw_text(facts));
  if (is_absent(coverage, "Proxmox firewall"))
    leave_out(host, "pve-firewall");
  else
    answer_one(host, "pve-firewall", {"status"},
               fmt::format("Status: {}\n", view(facts.getProxmoxFirewall())));
}

}  // namespace relab::agent::sim
