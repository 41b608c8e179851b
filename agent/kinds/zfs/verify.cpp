#include "agent/kinds/zfs/verify.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/fill.h"
#include "agent/kinds/zfs/backup_view.h"
#include "agent/kinds/zfs/backup_write.h"
#include "agent/kinds/zfs/drill.h"
#include "agent/kinds/zfs/read_back.h"
#include "common/base/number.h"

namespace relab::agent::zfs {

namespace {

using Params = schema::ZfsBackupVerify;
using Facts = schema::ZfsBackupVerify::Facts;

/// What receiving needs besides the stream's own size.
constexpr std::uint64_t margin_percent = 10;

BackupWish wish_of(Params::Reader params) {
  return {.dataset = str(params.getDataset()),
          .snapshot = str(params.getSnapshot()),
          .folder = str(params.getFolder()),
          .name = str(params.getName())};
}

DrillWish drill_of(Params::Reader params) {
  auto copy = wish_of(params);
  auto scratch = params.getScratch().size() == 0 ? pool_of(copy.dataset) : str(params.getScratch());
  return {.copy = std::move(copy),
          .scratch = std::move(scratch),
          .key = str(params.getKey()),
          .sample = params.getSample()};
}

bool any_encrypted(const Origin& origin) {
  return std::ranges::any_of(origin.snapshots, &Node::encrypted);
}

/// Whether there is room and a key; else why not.
void write_drill(Params::Reader params, const Origin& origin, std::uint64_t bytes,
                 const DrillGround& ground, schema::ZfsBackupVerify::Drill::Builder drill) {
  const auto needed = bytes + bytes / 100 * margin_percent;
  drill.setWanted(true);
  drill.setScratch(drill_of(params).scratch);
  drill.setNeeded(needed);
  drill.setAvailable(ground.available);
  drill.setLeftover(ground.leftover);
  if (needed > ground.available)
    drill.setWhy(fmt::format("it needs {} below {}, and there are {}", human_bytes(needed),
                             view(drill.asReader().getScratch()), human_bytes(ground.available)));
  else if (any_encrypted(origin) && params.getKey().size() == 0)
    drill.setWhy("no key is named to open what is received");
}

Result<Message<schema::BackupManifest>> manifest_of(Host& host, const BackupWish& wish) {
  RELAB_TRY(const auto text, host.read_file(wish.beside().manifest(), manifest_size_max));
  return read_manifest(text);
}

/// What is read while it flows, and whether it was what it has to be.
struct Look {
  ReadingBack reading;
  const Origin& origin;
  std::optional<SendStream> stream = {};

  Result<void> finish() {
    RELAB_TRY(stream, reading.finish().during("reading the copy back"));
    return check_stream(*stream, origin.snapshots);
  }
};

/// Without receiving it.
Result<void> read_alone(Host& host, const BackupWish& wish, schema::BackupManifest::Reader manifest,
                        const Origin& origin) {
  Look look{.reading = ReadingBack(host, manifest), .origin = origin};
  RELAB_CHECK(host.read_through(wish.stream(), look.reading));
  return look.finish();
}

}  // namespace

Result<Message<Facts>> ZfsBackupVerify::observe(Params::Reader params, Host& host) {
  const auto wish = wish_of(params);
  RELAB_TRY(const auto origin, read_origin(host, wish));
  RELAB_TRY(const auto target, read_target(host, wish.folder));
  Existing existing;
  if (target.mounted) {
    RELAB_TRY(existing, read_existing(host, wish, origin));
  }
  Draft<Facts> facts;
  facts->setPool(pool_of(wish.dataset));
  facts->setPoolGuid(origin.pool_guid);
  write_snapshots(origin.snapshots, facts->initSnapshots(size_of(origin.snapshots)));
  facts->setMounted(target.mounted);
  facts->setDevice(target.device);
  facts->setDiskSerial(target.serial);
  facts->setState(existing.state);
  facts->setConflict(existing.conflict);
  facts->setBytes(existing.bytes);
  facts->setDigest(existing.digest);
  facts->setManifestDigest(existing.manifest_digest);
  facts->setSignedBy(existing.signed_by);
  facts->setWrittenAt(existing.written_at);
  facts->setToolVersion(origin.versions.tool);
  facts->setModuleVersion(origin.versions.module);
  if (existing.state != schema::ZfsBackup::State::COMPLETE) return std::move(facts).finish();
  RELAB_TRY(const auto manifest, manifest_of(host, wish));
  facts->setWrittenOn(manifest.reader().getDiskSerial());
  if (!params.getDrill()) return std::move(facts).finish();
  RELAB_TRY(const auto ground, read_drill_ground(host, drill_of(params)));
  // What is received takes as much as the stream, or as ZFS reckons, whichever is more. ZFS reckons
  // with what an earlier drill left, too.
  RELAB_TRY(const auto likely, estimate(host, wish));
  const auto bytes = std::max(existing.bytes, likely - std::min(likely, ground.held));
  write_drill(params, origin, bytes, ground, facts->initDrill());
  return std::move(facts).finish();
}

Result<std::vector<std::string>> ZfsBackupVerify::intends(Params::Reader params,
                                                          Facts::Reader facts) {
  const auto wish = wish_of(params);
  if (!facts.getMounted())
    return refuse(fmt::format("nothing is mounted on {}", wish.folder.string()),
                  "attach and mount the disk with the copy");
  if (facts.getState() == schema::ZfsBackup::State::NONE)
    return refuse(fmt::format("there is no copy {}", wish.stream().string()), "write it first");
  if (facts.getState() == schema::ZfsBackup::State::OTHER)
    return refuse(fmt::format("{} is not the copy that is asked for: {}", wish.stream().string(),
                              view(facts.getConflict())),
                  "nothing is done to it: look at what it is");
  if (view(facts.getWrittenOn()) != view(facts.getDiskSerial()))
    return refuse(fmt::format("the copy was written on the disk '{}', and this is '{}'",
                              view(facts.getWrittenOn()), view(facts.getDiskSerial())),
                  "attach the disk that it was written on, or write it anew");
  std::vector<std::string> intentions = {
      fmt::format("would read {} of {} back from the disk {}", human_bytes(facts.getBytes()),
                  wish.stream().string(), view(facts.getDiskSerial()))};
  const auto drill = facts.getDrill();
  if (drill.getWanted() && drill.getWhy().size() == 0)
    intentions.push_back(
        fmt::format("would receive it into {}, compare files with {}, and remove "
                    "it again",
                    drill_of(params).place(), wish.full_name()));
  if (drill.getWhy().size() != 0)
    intentions.push_back(fmt::format("would not receive it: {}", view(drill.getWhy())));
  return intentions;
}

Result<Message<Facts>> ZfsBackupVerify::attempt(Params::Reader params, Facts::Reader facts,
                                                const Hands& hands) {
  const auto wish = drill_of(params);
  RELAB_TRY(const auto origin, read_origin(hands.host, wish.copy));
  RELAB_TRY(const auto manifest, manifest_of(hands.host, wish.copy));
  Look look{.reading = ReadingBack(hands.host, manifest.reader()), .origin = origin};
  Draft<Facts> found(facts);
  if (facts.getDrill().getWanted() && facts.getDrill().getWhy().size() == 0) {
    const auto compared = drill(
        hands, wish, look.reading, [&] { return look.finish(); }, origin);
    // Whoever received it may have stopped at the bad spot, and cannot tell where it is.
    if (!compared && compared.error().fault == Fault::damaged && !look.stream)
      RELAB_CHECK(read_alone(hands.host, wish.copy, manifest.reader(), origin));
    if (!compared) return fail(compared.error());
    write_compared(*compared, found->getDrill());
  } else {
    if (facts.getDrill().getLeftover().size() != 0)
      RELAB_CHECK(clear_drill_ground(hands.host, wish));
    RELAB_CHECK(hands.host.read_through(wish.copy.stream(), look.reading));
    RELAB_CHECK(look.finish());
  }
  found->setReadBack(true);
  std::uint64_t records = 0;
  for (const auto& count : look.stream->counts) records += count.records;
  found->setRecords(records);
  return std::move(found).finish();
}

}  // namespace relab::agent::zfs
