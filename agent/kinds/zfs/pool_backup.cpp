#include "agent/kinds/zfs/pool_backup.h"

#include <fmt/format.h>
#include <map>
#include <set>

#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/zfs/pool_send.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

using Params = schema::ZfsPoolBackup;
using Facts = schema::ZfsPoolBackup::Facts;
using State = schema::ZfsBackup::State;

PoolCopyWish wish_of(Params::Reader params) {
  return {.dataset = str(params.getDataset()),
          .snapshot = str(params.getSnapshot()),
          .target = str(params.getTarget())};
}

/// The room below the dataset in which the copy lies, or is to lie.
Result<std::uint64_t> read_room(Host& host, const PoolCopyWish& wish) {
  const auto above = wish.target.substr(0, wish.target.rfind('/'));
  RELAB_TRY(const auto output,
            host.run({.argv = {"zfs", "list", "-Hp", "-o", "available", above}}));
  if (output.status != 0 && output.err.find("does not exist") != std::string::npos)
    return fail(
        Fault::missing,
        fmt::format("there is no dataset '{}', below which {} is to lie", above, wish.target),
        fmt::format("create it: zfs create -o canmount=off {}", above));
  if (output.status != 0 || output.truncated)
    return fail(Fault::damaged,
                fmt::format("zfs list ended with {}: {}", output.status, first_words(output)));
  return parse_number<std::uint64_t>(trim(output.out)).during("reading the room that is left");
}

Result<std::uint64_t> estimate_all(Host& host, const PoolCopy& copy) {
  std::uint64_t bytes = 0;
  for (const auto& [name, lineage] : copy.lineages) {
    RELAB_TRY(const auto rest, estimate_rest(host, lineage));
    bytes += rest;
  }
  return bytes;
}

Result<void> write_copy(Host& host, const PoolCopyWish& wish, const TargetPool& target,
                        const PoolCopy& copy, Facts::Builder facts) {
  facts.setState(copy.state);
  facts.setConflict(copy.conflict);
  facts.setCopyDigest(copy.digest);
  if (copy.state == State::NONE && target.read_only) {
    facts.setState(State::OTHER);
    facts.setConflict(fmt::format("the pool '{}' is imported read-only", target.name));
  }
  const auto received = copy.received();
  write_snapshots(received, facts.initReceived(size_of(received)));
  const auto interrupted = copy.interrupted(wish);
  auto list = facts.initInterrupted(size_of(interrupted));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, interrupted[i]);
  if (copy.state != State::NONE) return {};
  RELAB_TRY(const auto bytes, estimate_all(host, copy));
  facts.setEstimate(bytes);
  return {};
}

Result<void> check_target(Params::Reader params, Facts::Reader facts) {
  const auto target = str(params.getTarget());
  if (view(facts.getPool()) == view(facts.getTargetPool()))
    return refuse(fmt::format("{} lies in the pool '{}' itself", target, str(facts.getPool())),
                  "a copy belongs on another disk");
  if (target.find('/') == std::string::npos)
    return refuse(fmt::format("'{}' is a whole pool", target),
                  fmt::format("name a dataset below it: {}/{}", target, str(facts.getPool())));
  if (facts.getTargetPoolGuid() == 0)
    return refuse(fmt::format("the pool '{}' is not imported", str(facts.getTargetPool())),
                  "attach its disk, and import it: zpool import -N " + str(facts.getTargetPool()));
  if (view(facts.getTargetHealth()) != "ONLINE")
    return refuse(fmt::format("the pool '{}' is {}", str(facts.getTargetPool()),
                              str(facts.getTargetHealth())),
                  "a copy belongs into a pool that is whole: see zpool status");
  if (facts.getState() == State::OTHER)
    return refuse(fmt::format("{} cannot become the copy that was asked for: {}", target,
                              str(facts.getConflict())),
                  "nothing is done to what is there: name another target, or look at what it is");
  return {};
}

Result<void> check_room(Params::Reader params, Facts::Reader facts) {
  const auto needed = facts.getEstimate() + facts.getEstimate() / 100 * params.getMargin();
  if (needed <= facts.getFree()) return {};
  return refuse(fmt::format("{} may be needed for {}, and {} are free", human_bytes(needed),
                            str(params.getTarget()), human_bytes(facts.getFree())),
                "make room in that pool, or take a larger disk");
}

/// How many snapshots of each dataset.
std::map<std::string, unsigned> count(capnp::List<schema::Snapshot>::Reader snapshots) {
  std::map<std::string, unsigned> counts;
  for (const auto snapshot : snapshots) ++counts[str(snapshot.getDataset())];
  return counts;
}

}  // namespace

Result<Message<Facts>> ZfsPoolBackup::observe(Params::Reader params, Host& host) {
  const auto wish = wish_of(params);
  if (!is_dataset(wish.target))
    return fail(Fault::invalid, fmt::format("'{}' is no name of a dataset", wish.target));
  RELAB_TRY(const auto origin, read_origin(host, wish.origin()));
  TargetPool target{.name = pool_of(wish.target)};
  if (target.name != pool_of(wish.dataset)) {
    RELAB_TRY(target, read_target_pool(host, target.name));
  }
  Draft<Facts> facts;
  facts->setPool(pool_of(wish.dataset));
  facts->setPoolGuid(origin.pool_guid);
  facts->setTargetPool(target.name);
  facts->setTargetPoolGuid(target.guid);
  facts->setTargetHealth(target.health);
  facts->setDiskSerial(target.serials);
  facts->setToolVersion(origin.versions.tool);
  facts->setModuleVersion(origin.versions.module);
  write_snapshots(origin.snapshots, facts->initSnapshots(size_of(origin.snapshots)));
  if (target.guid == 0) return std::move(facts).finish();
  RELAB_TRY(const auto free, read_room(host, wish));
  facts->setFree(free);
  RELAB_TRY(const auto copy, read_pool_copy(host, wish, origin, target));
  RELAB_CHECK(write_copy(host, wish, target, copy, *facts));
  return std::move(facts).finish();
}

Result<std::vector<Change>> ZfsPoolBackup::plan(Params::Reader params, Facts::Reader facts) {
  const auto wish = wish_of(params);
  RELAB_CHECK(check_target(params, facts));
  if (facts.getState() == State::COMPLETE) return std::vector<Change>();
  RELAB_CHECK(check_room(params, facts));
  auto there = count(facts.getReceived());
  std::set<std::string> interrupted;
  for (const auto name : facts.getInterrupted()) interrupted.insert(str(name));
  std::vector<Change> changes;
  // A dataset's name sorts behind that of its parent, without which it cannot be received.
  for (const auto& [dataset, wanted] : count(facts.getSnapshots())) {
    const auto missing = wanted - there[dataset];
    if (missing == 0) continue;
    changes.push_back({.what = fmt::format("+ {}, {} snapshot(s) of {}{}", wish.copy_of(dataset),
                                           missing, dataset,
                                           interrupted.contains(wish.copy_of(dataset))
                                               ? ", going on where it was interrupted"
                                               : ""),
                       .how = {wish.dataset, wish.snapshot, wish.target, dataset,
                               std::to_string(facts.getTargetPoolGuid())}});
  }
  return changes;
}

Result<void> ZfsPoolBackup::apply(const Change& change, Host& host) {
  const auto& how = change.how;
  RELAB_ASSERT(how.size() == 5);
  const PoolCopyWish wish{.dataset = how[0], .snapshot = how[1], .target = how[2]};
  RELAB_TRY(const auto origin, read_origin(host, wish.origin()));
  RELAB_TRY(const auto target, read_target_pool(host, pool_of(wish.target)));
  if (std::to_string(target.guid) != how[4])
    return fail(Fault::conflict,
                fmt::format("'{}' is not the pool any more that was looked at", target.name),
                "run it again");
  RELAB_TRY(const auto copy, read_pool_copy(host, wish, origin, target));
  if (!copy.conflict.empty()) return fail(Fault::conflict, copy.conflict, "run it again");
  const auto lineage = copy.lineages.find(how[3]);
  if (lineage == copy.lineages.end())
    return fail(Fault::conflict, fmt::format("{} is gone", how[3]), "run it again");
  return send_rest(host, wish, lineage->second);
}

}  // namespace relab::agent::zfs
