#include "agent/kinds/zfs/pool_copy.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/zfs/health.h"
#include "agent/kinds/zfs/readers.h"
#include "common/base/number.h"
#include "common/base/text.h"
#include "common/crypto/chunks.h"

namespace relab::agent::zfs {

namespace {

using State = schema::ZfsBackup::State;

/// Of everything that has no part: disks and files, whatever their role.
void read_leaves(schema::AuditZfs::Facts::Reader audit, TargetPool& pool) {
  const auto vdevs = audit.getVdevs();
  std::set<std::int32_t> groups;
  for (const auto vdev : vdevs) groups.insert(vdev.getParent());
  std::set<std::string> serials;
  for (unsigned i = 0; i < vdevs.size(); ++i) {
    if (vdevs[i].getParent() < 0 || groups.contains(static_cast<std::int32_t>(i))) continue;
    serials.insert(str(vdevs[i].getSerial()));
    pool.paths.push_back(str(vdevs[i].getPath()));
  }
  pool.serials = fmt::format("{}", fmt::join(serials, ","));
}

/// The tokens of interrupted receives, by the dataset of the copy.
Result<std::map<std::string, std::string>> read_tokens(Host& host, const std::string& target) {
  RELAB_TRY(const auto text,
            output_of(host, {.argv = {"zfs", "get", "-Hp", "-r", "-t", "filesystem,volume", "-o",
                                      "name,value", "receive_resume_token", target}}));
  std::map<std::string, std::string> tokens;
  for (const auto line : lines(text)) {
    const auto row = split(line, '\t');
    if (row.size() != 2) return fail(Fault::damaged, fmt::format("zfs get printed '{}'", line));
    if (row[1] != "-" && !row[1].empty()) tokens.emplace(row[0], row[1]);
  }
  return tokens;
}

/// A dataset of the copy, as it is.
struct Present {
  bool encrypted = false;
  /// Oldest first.
  std::vector<Node> snapshots = {};
};

std::map<std::string, Present> by_dataset(const std::vector<Node>& tree) {
  std::map<std::string, Present> all;
  for (const auto& node : tree) {
    auto& present = all[node.dataset()];
    if (node.is_snapshot())
      present.snapshots.push_back(node);
    else
      present.encrypted = node.encrypted;
  }
  for (auto& [name, present] : all) std::ranges::sort(present.snapshots, {}, &Node::create_txg);
  return all;
}

std::map<std::string, Lineage> lineages_of(const Origin& origin) {
  std::map<std::string, Lineage> all;
  for (const auto& node : origin.snapshots) all[node.dataset()].wanted.push_back(node);
  for (auto& [name, lineage] : all) std::ranges::sort(lineage.wanted, {}, &Node::create_txg);
  return all;
}

/// Counts what is there of a lineage; why it cannot go on from there, or empty.
std::string match(const std::string& name, const Present& present, Lineage& lineage) {
  std::map<std::string, const Node*> found;
  for (const auto& node : present.snapshots) found.emplace(node.snapshot(), &node);
  bool gap = false;
  for (const auto& wanted : lineage.wanted) {
    const auto at = found.find(wanted.snapshot());
    gap = gap || at == found.end();
    if (at == found.end()) continue;
    if (at->second->guid != wanted.guid)
      return fmt::format("{} is another snapshot than {}", at->second->name, wanted.name);
    if (gap) return fmt::format("it has {}, and lacks older ones", at->second->name);
    if (at->second->encrypted != wanted.encrypted)
      return fmt::format("{} is {}encrypted, unlike {}", at->second->name,
                         at->second->encrypted ? "" : "not ", wanted.name);
    ++lineage.there;
  }
  if (lineage.complete()) return {};
  if (lineage.there == 0 && (!present.snapshots.empty() || lineage.token.empty()))
    return fmt::format("{} is there, and nothing of it is a copy", name);
  if (lineage.there == 0 && present.encrypted != lineage.wanted[0].encrypted)
    return fmt::format("{} is not encrypted as its original is", name);
  if (lineage.there != 0 && present.snapshots.back().guid != lineage.wanted[lineage.there - 1].guid)
    return fmt::format("{} is newer than all that its original shares with it",
                       present.snapshots.back().name);
  return {};
}

/// That an interrupted receive is of the snapshot that comes next; else why not.
Result<std::string> check_token(Host& host, const std::string& name, const Lineage& lineage) {
  RELAB_TRY(const auto output, host.run({.argv = {"zfs", "send", "-nvP", "-t", lineage.token},
                                         .timeout = std::chrono::hours(1)}));
  const auto guid = guid_in_token(output.out + "\n" + output.err);
  if (output.status == 0 && !lineage.complete() && guid == lineage.wanted[lineage.there].guid)
    return std::string();
  return fmt::format(
      "a receive into {0} was interrupted, and not of the snapshot that comes next ('zfs receive "
      "-A "
      "{0}' forgets it)",
      name);
}

Result<void> fill_lineages(Host& host, const PoolCopyWish& wish, const std::vector<Node>& tree,
                           PoolCopy& copy) {
  RELAB_TRY(const auto tokens, read_tokens(host, wish.target));
  for (const auto& [name, present] : by_dataset(tree)) {
    const auto lineage = copy.lineages.find(wish.original_of(name));
    if (lineage == copy.lineages.end()) {
      copy.conflict = fmt::format("{} has no original", name);
      return {};
    }
    const auto token = tokens.find(name);
    if (token != tokens.end()) lineage->second.token = token->second;
    copy.conflict = match(name, present, lineage->second);
    if (copy.conflict.empty() && token != tokens.end()) {
      RELAB_TRY(copy.conflict, check_token(host, name, lineage->second));
    }
    if (!copy.conflict.empty()) return {};
  }
  return {};
}

}  // namespace

std::vector<Node> PoolCopy::received() const {
  std::vector<Node> all;
  for (const auto& [name, lineage] : lineages)
    all.insert(all.end(), lineage.wanted.begin(),
               lineage.wanted.begin() + static_cast<std::ptrdiff_t>(lineage.there));
  return all;
}

std::vector<std::string> PoolCopy::interrupted(const PoolCopyWish& wish) const {
  std::vector<std::string> all;
  for (const auto& [name, lineage] : lineages)
    if (!lineage.token.empty()) all.push_back(wish.copy_of(name));
  return all;
}

Result<TargetPool> read_target_pool(Host& host, const std::string& name) {
  TargetPool pool{.name = name};
  RELAB_TRY(const auto imported, read_pools(host));
  if (std::ranges::find(imported, name, &Imported::name) == imported.end()) return pool;
  RELAB_TRY(const auto read, read_pool(host, name));
  const auto audit = read.reader();
  const auto facts = audit.getPools()[0];
  pool.guid = facts.getGuid();
  pool.health = str(facts.getHealth());
  pool.read_only = facts.getReadonly();
  pool.size = facts.getSize();
  pool.altroot = str(facts.getAltroot());
  pool.cachefile = str(facts.getCachefile());
  pool.concerns = concerns_of(audit);
  read_leaves(audit, pool);
  return pool;
}

Result<PoolCopy> read_pool_copy(Host& host, const PoolCopyWish& wish, const Origin& origin,
                                const TargetPool& pool) {
  PoolCopy copy{.lineages = lineages_of(origin)};
  if (pool.guid == 0) return copy;
  const auto tree = read_tree(host, wish.target);
  if (!tree && tree.error().fault == Fault::missing) return copy;
  if (!tree) return fail(tree.error());
  const auto scratch = std::ranges::find_if(*tree, &Node::scratch);
  if (scratch != tree->end())
    copy.conflict = fmt::format("{} is of a drill, which removes it", scratch->name);
  else
    RELAB_CHECK(fill_lineages(host, wish, *tree, copy));
  if (!copy.conflict.empty()) {
    copy.state = State::OTHER;
    return copy;
  }
  const bool complete =
      std::ranges::all_of(copy.lineages, [](const auto& entry) { return entry.second.complete(); });
  if (!complete) return copy;
  copy.state = State::COMPLETE;
  copy.digest = copy_digest(pool.guid, wish.dataset, origin.snapshots);
  return copy;
}

std::string copy_digest(std::uint64_t pool_guid, const std::string& dataset,
                        const std::vector<Node>& snapshots) {
  std::vector<std::string> rows;
  for (const auto& node : snapshots) {
    auto name = node.name.substr(dataset.size());
    if (name.starts_with('/')) name.erase(0, 1);
    rows.push_back(fmt::format("{} {}\n", name, node.guid));
  }
  std::ranges::sort(rows);
  const auto text = fmt::format("{}\n{}", pool_guid, fmt::join(rows, ""));
  crypto::ChunkDigests digest(text.size());
  digest.add(bytes_of(text));
  digest.finish();
  return hex(digest.chunks().at(0));
}

std::uint64_t guid_in_token(std::string_view text) {
  constexpr std::string_view prefix = "toguid = 0x";
  for (const auto line : lines(text)) {
    const auto words = trim(line);
    if (!words.starts_with(prefix)) continue;
    std::uint64_t guid = 0;
    const auto digits = words.substr(prefix.size());
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), guid, 16);
    if (error == std::errc() && end == digits.data() + digits.size()) return guid;
  }
  return 0;
}

}  // namespace relab::agent::zfs
