#include "agent/kinds/zfs/snapshot.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/zfs/ask.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

using Params = schema::ZfsSnapshot;
using Facts = schema::ZfsSnapshot::Facts;

/// The snapshots that are held by a tag.
Result<std::set<std::string>> read_holds(Host& host, const std::vector<Node>& snapshots,
                                         const std::string& tag) {
  std::set<std::string> held;
  if (snapshots.empty()) return held;
  Command command{.argv = {"zfs", "holds", "-H"}};
  for (const auto& snapshot : snapshots) command.argv.push_back(snapshot.name);
  RELAB_TRY(const auto text, output_of(host, command));
  for (const auto line : lines(text)) {
    // "datapool@pre-rebuild", the tag, and when it was set.
    const auto row = split(line, '\t');
    if (row.size() != 3)
      return fail(Fault::damaged, fmt::format("zfs holds printed a line with {} columns instead "
                                              "of 3",
                                              row.size()));
    if (row[1] == tag) held.emplace(row[0]);
  }
  return held;
}

Result<void> run(Host& host, std::vector<std::string> argv) {
  const auto verb = argv[1];
  RELAB_TRY(const auto output, host.run({.argv = std::move(argv)}));
  if (output.status == 0 && trim(output.err).empty()) return {};
  return fail(Fault::damaged,
              fmt::format("zfs {} ended with {}: {}", verb, output.status, first_words(output)));
}

std::string full_name(Params::Reader params) {
  return fmt::format("{}@{}", view(params.getDataset()), view(params.getName()));
}

}  // namespace

Result<Message<Facts>> ZfsSnapshot::observe(Params::Reader params, Host& host) {
  const auto dataset = str(params.getDataset());
  if (!is_dataset(dataset) || params.getName().size() == 0)
    return fail(Fault::invalid, fmt::format("'{}' is no name of a snapshot", full_name(params)));
  RELAB_TRY(const auto versions, read_versions(host));
  RELAB_TRY(const auto tree, read_tree(host, dataset));
  RELAB_TRY(const auto pool_guid, guid_of_pool(host, pool_of(dataset)));
  std::vector<Node> datasets;
  std::vector<Node> snapshots;
  for (const auto& node : tree) {
    if (node.scratch) continue;
    if (!node.is_snapshot()) datasets.push_back(node);
    if (node.is_snapshot() && node.snapshot() == view(params.getName())) snapshots.push_back(node);
  }
  RELAB_TRY(const auto held, read_holds(host, snapshots, str(params.getHold())));
  Draft<Facts> facts;
  facts->setPool(pool_of(dataset));
  facts->setPoolGuid(pool_guid);
  facts->setToolVersion(versions.tool);
  auto names = facts->initDatasets(size_of(datasets));
  for (unsigned i = 0; i < names.size(); ++i) names.set(i, datasets[i].name);
  fill(facts->initSnapshots(size_of(snapshots)), snapshots, [&](auto row, const Node& node) {
    row.setDataset(node.dataset());
    row.setGuid(node.guid);
    row.setCreateTxg(node.create_txg);
    row.setCreatedAt(node.created * 1000);
    row.setHeld(held.contains(node.name));
  });
  return std::move(facts).finish();
}

Result<std::vector<Change>> ZfsSnapshot::plan(Params::Reader params, Facts::Reader facts) {
  const auto name = full_name(params);
  std::vector<Change> changes;
  if (facts.getSnapshots().size() == 0) {
    changes.push_back(
        {.what = fmt::format("+ snapshot {}, of {} dataset(s)", name, facts.getDatasets().size()),
         .how = {"snapshot", name}});
    changes.push_back({.what = fmt::format("+ hold '{}' on it", str(params.getHold())),
                       .how = {"hold", str(params.getHold()), name}});
    return changes;
  }
  const auto first = facts.getSnapshots()[0].getCreateTxg();
  for (const auto snapshot : facts.getSnapshots())
    if (snapshot.getCreateTxg() != first)
      return fail(Fault::refused,
                  fmt::format("the snapshots named '{}' were not taken at one moment: that of {} "
                              "is another one",
                              str(params.getName()), str(snapshot.getDataset())),
                  "give the snapshot another name");
  for (const auto dataset : facts.getDatasets())
    if (!any_in(facts.getSnapshots(),
                [&](auto snapshot) { return view(snapshot.getDataset()) == view(dataset); }))
      return fail(Fault::refused,
                  fmt::format("{} has no snapshot '{}', and others have one: it was made since",
                              str(dataset), str(params.getName())),
                  "give the snapshot another name");
  for (const auto snapshot : facts.getSnapshots())
    if (!snapshot.getHeld()) {
      const auto one = fmt::format("{}@{}", view(snapshot.getDataset()), view(params.getName()));
      changes.push_back({.what = fmt::format("+ hold '{}' on {}", str(params.getHold()), one),
                         .how = {"hold-one", str(params.getHold()), one}});
    }
  return changes;
}

Result<void> ZfsSnapshot::apply(const Change& change, Host& host) {
  RELAB_ASSERT(change.how.size() >= 2);
  const auto& how = change.how;
  if (how[0] == "snapshot") return run(host, {"zfs", "snapshot", "-r", how[1]});
  if (how[0] == "hold") return run(host, {"zfs", "hold", "-r", how[1], how[2]});
  return run(host, {"zfs", "hold", how[1], how[2]});
}

}  // namespace relab::agent::zfs
