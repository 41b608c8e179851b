#include "agent/kinds/zfs/backup.h"

#include <fmt/format.h>

#include "agent/kinds/support/fill.h"
#include "agent/kinds/zfs/backup_view.h"
#include "agent/kinds/zfs/backup_write.h"
#include "common/base/number.h"

namespace relab::agent::zfs {

namespace {

using Params = schema::ZfsBackup;
using Facts = schema::ZfsBackup::Facts;

BackupWish wish_of(Params::Reader params) {
  return {.dataset = str(params.getDataset()),
          .snapshot = str(params.getSnapshot()),
          .folder = str(params.getFolder()),
          .name = str(params.getName())};
}

void write_existing(const Existing& existing, Facts::Builder facts) {
  facts.setState(existing.state);
  facts.setBytes(existing.bytes);
  facts.setDigest(existing.digest);
  facts.setManifestDigest(existing.manifest_digest);
  facts.setWrittenAt(existing.written_at);
  facts.setConflict(existing.conflict);
  facts.setSignedBy(existing.signed_by);
  facts.setHeadBeside(existing.has_head);
  auto leftovers = facts.initLeftovers(size_of(existing.leftovers));
  for (unsigned i = 0; i < leftovers.size(); ++i) leftovers.set(i, existing.leftovers[i]);
}

Result<std::uint64_t> bytes_in(Host& host, const std::vector<std::string>& files) {
  std::uint64_t bytes = 0;
  for (const auto& file : files) {
    RELAB_TRY(const auto status, host.status(file));
    bytes += status.size;
  }
  return bytes;
}

Result<void> check_target(Params::Reader params, Facts::Reader facts) {
  const auto folder = str(params.getFolder());
  if (!facts.getMounted())
    return refuse(
        fmt::format("nothing is mounted on {}: the copy would fill the disk of the system", folder),
        "mount the disk that takes the copy");
  if (view(facts.getFileSystem()) == "zfs" &&
      pool_of(view(facts.getDevice())) == view(facts.getPool()))
    return refuse(fmt::format("{} lies on the pool '{}' itself", folder, str(facts.getPool())),
                  "a copy belongs on another disk");
  return {};
}

Result<void> check_room(Params::Reader params, Facts::Reader facts) {
  const auto needed = facts.getEstimate() + facts.getEstimate() / 100 * params.getMargin();
  if (needed <= facts.getFree()) return {};
  return refuse(fmt::format("{} may be needed on {}, and {} are free{}", human_bytes(needed),
                            str(params.getFolder()), human_bytes(facts.getFree()),
                            facts.getLeftovers().size() == 0
                                ? ""
                                : ", with what an attempt that did not come to its end left"),
                "make room on it, or take a larger disk");
}

}  // namespace

Result<Message<Facts>> ZfsBackup::observe(Params::Reader params, Host& host) {
  const auto wish = wish_of(params);
  RELAB_TRY(const auto origin, read_origin(host, wish));
  RELAB_TRY(const auto size, estimate(host, wish));
  RELAB_TRY(auto target, read_target(host, wish.folder));
  Existing existing;
  if (target.mounted) {
    RELAB_TRY(existing, read_existing(host, wish, origin));
    RELAB_TRY(const auto held, bytes_in(host, existing.leftovers));
    target.room.free += held;
  }
  Draft<Facts> facts;
  facts->setPool(pool_of(wish.dataset));
  facts->setPoolGuid(origin.pool_guid);
  facts->setEstimate(size);
  facts->setToolVersion(origin.versions.tool);
  facts->setModuleVersion(origin.versions.module);
  write_snapshots(origin.snapshots, facts->initSnapshots(size_of(origin.snapshots)));
  write_target(target, *facts);
  write_existing(existing, *facts);
  return std::move(facts).finish();
}

Result<std::vector<Change>> ZfsBackup::plan(Params::Reader params, Facts::Reader facts) {
  const auto wish = wish_of(params);
  RELAB_CHECK(check_target(params, facts));
  if (facts.getState() == schema::ZfsBackup::State::OTHER)
    return refuse(fmt::format("{} is there, and is not the copy that was asked for: {}",
                              wish.stream().string(), str(facts.getConflict())),
                  "give the copy another name, or take that file away");
  std::vector<Change> changes;
  for (const auto leftover : facts.getLeftovers())
    changes.push_back(
        {.what = fmt::format("- {}, of an attempt that did not come to its end", str(leftover)),
         .how = {"remove", str(leftover)}});
  if (facts.getState() == schema::ZfsBackup::State::COMPLETE) return changes;
  RELAB_CHECK(check_room(params, facts));
  changes.push_back({.what = fmt::format("+ {}, about {} of {} and {} snapshot(s)",
                                         wish.stream().string(), human_bytes(facts.getEstimate()),
                                         wish.full_name(), facts.getSnapshots().size()),
                     .how = {"write", wish.dataset, wish.snapshot, wish.folder.string(), wish.name,
                             str(facts.getDiskSerial()), std::to_string(facts.getEstimate())}});
  return changes;
}

Result<void> ZfsBackup::apply(const Change& change, Host& host) {
  const auto& how = change.how;
  RELAB_ASSERT(how.size() == 2 || how.size() == 7);
  if (how[0] == "remove") return host.remove_file(how[1]);
  RELAB_TRY(const auto estimate, parse_number<std::uint64_t>(how[6]));
  return write_backup(host,
                      {.dataset = how[1], .snapshot = how[2], .folder = how[3], .name = how[4]},
                      {.disk_serial = how[5], .estimate = estimate});
}

}  // namespace relab::agent::zfs
