#include "agent/kinds/zfs/pool_verify.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/fill.h"
#include "agent/kinds/zfs/fresh_scrub.h"
#include "agent/kinds/zfs/pool_drill.h"
#include "agent/kinds/zfs/reimport.h"

namespace relab::agent::zfs {

namespace {

using Params = schema::ZfsPoolBackupVerify;
using Facts = schema::ZfsPoolBackupVerify::Facts;
using State = schema::ZfsBackup::State;

PoolDrillWish wish_of(Params::Reader params) {
  return {.copy = {.dataset = str(params.getDataset()),
                   .snapshot = str(params.getSnapshot()),
                   .target = str(params.getTarget())},
          .key = str(params.getKey()),
          .sample = params.getSample()};
}

/// The copy and the pool that has it, as they are.
struct Look {
  Origin origin;
  TargetPool pool;
  PoolCopy copy;
};

Result<Look> look(Host& host, const PoolCopyWish& wish) {
  Look seen;
  RELAB_TRY(seen.origin, read_origin(host, wish.origin()));
  RELAB_TRY(seen.pool, read_target_pool(host, pool_of(wish.target)));
  RELAB_TRY(seen.copy, read_pool_copy(host, wish, seen.origin, seen.pool));
  return seen;
}

void write_drill(Params::Reader params, const Origin& origin,
                 schema::ZfsBackupVerify::Drill::Builder drill) {
  drill.setWanted(true);
  drill.setScratch(params.getTarget());
  if (std::ranges::any_of(origin.snapshots, &Node::encrypted) && params.getKey().size() == 0)
    drill.setWhy("no key is named to open the copy");
}

void write_concerns(const std::vector<std::string>& concerns, Facts::Builder facts) {
  auto list = facts.initConcerns(size_of(concerns));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, concerns[i]);
}

/// By its GUID and its disks.
Result<void> check_same(const TargetPool& pool, Facts::Reader before) {
  if (pool.guid == before.getTargetPoolGuid() && pool.serials == view(before.getDiskSerial()))
    return {};
  return fail(Fault::conflict,
              fmt::format("'{}' is not the pool any more that was looked at", pool.name));
}

/// After the scrub: that it is the same pool, and nothing speaks against it or the copy.
Result<void> judge(const Look& now, Facts::Reader before) {
  RELAB_CHECK(check_same(now.pool, before));
  if (!now.pool.concerns.empty())
    return fail(Fault::damaged,
                fmt::format("the pool '{}' was read from end to end: {}", now.pool.name,
                            fmt::join(now.pool.concerns, "; ")),
                "see zpool status -v; replace the disk, or write the copy anew");
  if (now.copy.state != State::COMPLETE || now.copy.digest != view(before.getCopyDigest()))
    return fail(Fault::damaged, now.copy.conflict.empty()
                                    ? "the copy is not what it was before its pool was exported"
                                    : now.copy.conflict);
  return {};
}

bool drills(Facts::Reader facts) {
  return facts.getDrill().getWanted() && facts.getDrill().getWhy().size() == 0;
}

}  // namespace

Result<Message<Facts>> ZfsPoolBackupVerify::observe(Params::Reader params, Host& host) {
  const auto wish = wish_of(params).copy;
  if (!is_dataset(wish.target))
    return fail(Fault::invalid, fmt::format("'{}' is no name of a dataset", wish.target));
  RELAB_TRY(const auto seen, look(host, wish));
  Draft<Facts> facts;
  facts->setPool(pool_of(wish.dataset));
  facts->setPoolGuid(seen.origin.pool_guid);
  write_snapshots(seen.origin.snapshots, facts->initSnapshots(size_of(seen.origin.snapshots)));
  facts->setTargetPool(seen.pool.name);
  facts->setTargetPoolGuid(seen.pool.guid);
  facts->setDiskSerial(seen.pool.serials);
  facts->setState(seen.copy.state);
  facts->setConflict(seen.copy.conflict);
  facts->setCopyDigest(seen.copy.digest);
  write_concerns(seen.pool.concerns, *facts);
  facts->setToolVersion(seen.origin.versions.tool);
  facts->setModuleVersion(seen.origin.versions.module);
  if (params.getDrill()) write_drill(params, seen.origin, facts->initDrill());
  return std::move(facts).finish();
}

Result<std::vector<std::string>> ZfsPoolBackupVerify::intends(Params::Reader params,
                                                              Facts::Reader facts) {
  const auto target = str(params.getTarget());
  const auto pool = str(facts.getTargetPool());
  if (pool == view(facts.getPool()))
    return refuse(fmt::format("{} lies in the pool '{}' itself", target, pool),
                  "a copy belongs on another disk");
  if (facts.getTargetPoolGuid() == 0)
    return refuse(fmt::format("the pool '{}' is not imported", pool),
                  "attach its disk, and import it: zpool import -N " + pool);
  if (facts.getState() == State::NONE)
    return refuse(fmt::format("there is no complete copy {}", target), "write it first");
  if (facts.getState() == State::OTHER)
    return refuse(
        fmt::format("{} is not the copy that is asked for: {}", target, view(facts.getConflict())),
        "nothing is done to it: look at what it is");
  std::vector<std::string> intentions = {
      fmt::format("would export the pool '{}', and import it again", pool),
      fmt::format("would scrub it")};
  if (drills(facts))
    intentions.push_back(
        fmt::format("would open {} with its key, compare files with {}, and close "
                    "it again",
                    target, wish_of(params).copy.full_name()));
  else if (facts.getDrill().getWhy().size() != 0)
    intentions.push_back(fmt::format("would not open it: {}", view(facts.getDrill().getWhy())));
  return intentions;
}

Result<Message<Facts>> ZfsPoolBackupVerify::attempt(Params::Reader params, Facts::Reader facts,
                                                    const Hands& hands) {
  const auto wish = wish_of(params);
  RELAB_CHECK(close_copy(hands.host, wish.copy).during("removing what an earlier drill left"));
  RELAB_TRY(const auto pool, read_target_pool(hands.host, str(facts.getTargetPool())));
  RELAB_CHECK(check_same(pool, facts));
  RELAB_CHECK(reimport(hands, pool));
  RELAB_TRY(const auto ended, fresh_scrub(hands, pool.name));
  RELAB_TRY(const auto now, look(hands.host, wish.copy));
  RELAB_CHECK(judge(now, facts));
  Draft<Facts> found(facts);
  write_concerns(now.pool.concerns, *found);
  found->setScrubbedAt(ended);
  found->setReadBack(true);
  if (!drills(facts)) return std::move(found).finish();
  RELAB_TRY(const auto compared, drill_in_pool(hands, wish));
  write_compared(compared, found->getDrill());
  return std::move(found).finish();
}

}  // namespace relab::agent::zfs
