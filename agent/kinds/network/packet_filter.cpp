#include "agent/kinds/network/packet_filter.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "agent/kinds/support/json.h"
#include "common/base/text.h"

namespace relab::agent::network {

namespace {

/// Copying and printing JSON goes down once for every level.
constexpr int depth_max = 200;

bool is_too_deep(std::string_view json) {
  int depth = 0;
  for (const char letter : json) {
    if (letter == '[' || letter == '{') ++depth;
    if (letter == ']' || letter == '}') --depth;
    if (depth > depth_max) return true;
  }
  return false;
}

std::int32_t priority_of(const Json& value) {
  if (!value.is_number_integer()) return 0;
  const auto number = value.get<std::int64_t>();
  const auto fits = number >= std::numeric_limits<std::int32_t>::min() &&
                    number <= std::numeric_limits<std::int32_t>::max();
  return fits ? static_cast<std::int32_t>(number) : 0;
}

Chain chain_of(const Json& entry) {
  return {.program = "nft",
          .family = text_of(entry, "family"),
          .table = text_of(entry, "table"),
          .name = text_of(entry, "name"),
          .hook = text_of(entry, "hook"),
          .priority = priority_of(member(entry, "prio")),
          .policy = text_of(entry, "policy")};
}

/// Counters change all the time: evidence of the same rules would never be the same.
std::string expression_of(const Json& expressions) {
  auto kept = Json::array();
  if (expressions.is_array())
    for (const auto& expression : expressions)
      if (!expression.is_object() || !expression.contains("counter")) kept.push_back(expression);
  return kept.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// A part of a rule looks like another rule, so there is all of it or nothing.
std::string whole_or_nothing(std::string content, Cut& cut) {
  if (content.size() <= rule_size_max) return content;
  ++cut.too_long;
  return {};
}

Result<void> add_rule(const Json& entry, Nft& nft) {
  NftRule rule{.family = text_of(entry, "family"),
               .table = text_of(entry, "table"),
               .chain = text_of(entry, "chain")};
  const auto chain = std::ranges::find_if(nft.chains, [&rule](const Chain& known) {
    return known.family == rule.family && known.table == rule.table && known.name == rule.chain;
  });
  if (chain == nft.chains.end())
    return fail(Fault::damaged,
                fmt::format("nft printed a rule of an unknown chain '{}'", rule.chain));
  ++chain->rules;
  if (nft.rules.size() >= rules_max) {
    ++nft.cut.left_out;
    return {};
  }
  rule.comment = text_of(entry, "comment");
  rule.expression = whole_or_nothing(expression_of(member(entry, "expr")), nft.cut);
  nft.rules.push_back(std::move(rule));
  return {};
}

/// ":INPUT DROP [0:0]"
Result<Chain> parse_chain_line(std::string_view line) {
  const auto parts = words(line.substr(1));
  if (parts.size() < 2) return fail(Fault::damaged, "iptables-save printed a chain without policy");
  return Chain{.program = "iptables",
               .name = std::string(parts[0]),
               .policy = parts[1] == "-" ? std::string() : std::string(parts[1])};
}

/// "-A INPUT -j DROP"
Result<void> add_rule(std::string_view line, std::string_view family, std::string_view table,
                      Iptables& tables) {
  const auto parts = words(line);
  const auto chain = std::ranges::find_if(tables.chains, [&parts, table](const Chain& known) {
    return parts.size() > 1 && known.table == table && known.name == parts[1];
  });
  if (chain == tables.chains.end())
    return fail(Fault::damaged, "iptables-save printed a rule of an unknown chain");
  ++chain->rules;
  if (tables.rules.size() >= rules_max) {
    ++tables.cut.left_out;
    return {};
  }
  tables.rules.push_back({.family = std::string(family),
                          .table = std::string(table),
                          .chain = chain->name,
                          .rule = whole_or_nothing(std::string(line), tables.cut)});
  return {};
}

/// Where packets enter the chains that are there from the start.
std::string hook_of(const Chain& chain) {
  return chain.policy.empty() ? std::string() : chain.name;
}

}  // namespace

Result<Nft> parse_nft(std::string_view text) {
  if (is_too_deep(text)) return fail(Fault::damaged, "nft printed JSON that is nested too deep");
  RELAB_TRY(const auto json, parse_json(text, "nft"));
  const auto& entries = member(json, "nftables");
  if (!entries.is_array() || entries.empty())
    return fail(Fault::damaged, "nft printed no ruleset, not even an empty one");
  Nft nft;
  // A chain may jump to one that comes later, and rules may come before the last chain.
  for (const auto& entry : entries)
    if (const auto& chain = member(entry, "chain"); chain.is_object())
      nft.chains.push_back(chain_of(chain));
  for (const auto& entry : entries)
    if (const auto& rule = member(entry, "rule"); rule.is_object())
      RELAB_CHECK(add_rule(rule, nft));
  return nft;
}

Result<Iptables> parse_iptables_save(std::string_view family, std::string_view text) {
  Iptables tables;
  std::string table;
  for (const auto whole : lines(text)) {
    const auto line = trim(whole);
    if (line.empty() || line.starts_with('#') || line == "COMMIT") continue;
    if (line.starts_with('*')) {
      table = line.substr(1);
    } else if (line.starts_with(':') && !table.empty()) {
      RELAB_TRY(auto chain, parse_chain_line(line));
      chain.family = family;
      chain.table = table;
      chain.hook = hook_of(chain);
      tables.chains.push_back(std::move(chain));
    } else if (line.starts_with("-A ") || line.starts_with('[')) {
      const auto rule = line.starts_with('[')
                            ? trim(line.substr(std::min(line.find(']'), line.size() - 1) + 1))
                            : line;
      RELAB_CHECK(add_rule(rule, family, table, tables));
    } else {
      return fail(Fault::damaged, "iptables-save printed a line of no known form");
    }
  }
  return tables;
}

Result<Ufw> parse_ufw(std::string_view text) {
  constexpr std::string_view status = "Status: ";
  constexpr std::string_view defaults = "Default: ";
  Ufw ufw;
  bool in_rules = false;
  for (const auto line : lines(text)) {
    if (line.starts_with(status)) ufw.status = trim(line.substr(status.size()));
    if (line.starts_with(defaults)) ufw.defaults = trim(line.substr(defaults.size()));
    if (in_rules && !trim(line).empty()) ufw.rules.emplace_back(trim(line));
    // The head of the rules is underlined.
    in_rules = in_rules || line.starts_with("--");
  }
  if (ufw.status.empty()) return fail(Fault::damaged, "ufw printed no status");
  return ufw;
}

}  // namespace relab::agent::network
