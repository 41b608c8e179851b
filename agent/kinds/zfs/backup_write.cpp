#include "agent/kinds/zfs/backup_write.h"

#include <fmt/format.h>
#include <map>
#include <set>

#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/zfs/copying_stream.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

/// No send of a home lab takes longer; the step's own deadline ends it sooner.
constexpr auto send_time_max = std::chrono::hours(24 * 30);
constexpr auto retry_hint = "nothing was kept of it; find the cause, and run it again";

/// 2.1 exits 0 after a full disk or an unreadable block and says it on standard error only; 2.3
/// says nothing and exits 141.
Result<void> check_sender(const Output& output) {
  const auto words = trim(output.err);
  if (output.status == 0 && words.empty() && !output.truncated) return {};
  return fail(
      Fault::damaged,
      fmt::format("zfs send ended with {}{}{}", output.status, words.empty() ? "" : ": ", words),
      retry_hint);
}

Message<schema::BackupManifest> manifest_of(const BackupWish& wish, const BackupGround& ground,
                                            const Origin& origin,
                                            const crypto::ChunkDigests& digests,
                                            const std::string& machine, Instant now) {
  Draft<schema::BackupManifest> manifest;
  manifest->setVersion(1);
  manifest->setStream(wish.stream().filename().string());
  manifest->setBytes(digests.bytes());
  manifest->setDigest(hex(digests.whole()));
  manifest->setChunkBytes(digests.chunk_bytes());
  auto chunks = manifest->initChunks(size_of(digests.chunks()));
  for (unsigned i = 0; i < chunks.size(); ++i) chunks.set(i, hex(digests.chunks()[i]));
  manifest->setPool(pool_of(wish.dataset));
  manifest->setPoolGuid(origin.pool_guid);
  manifest->setDataset(wish.dataset);
  manifest->setSnapshot(wish.snapshot);
  write_snapshots(origin.snapshots, manifest->initSnapshots(size_of(origin.snapshots)));
  manifest->setWrittenAt(static_cast<std::uint64_t>(now.time_since_epoch().count()));
  manifest->setDiskSerial(ground.disk_serial);
  manifest->setToolVersion(origin.versions.tool);
  manifest->setModuleVersion(origin.versions.module);
  manifest->setMachineId(machine);
  const auto lines = restore_by_hand(wish.stream().filename().string(), wish.dataset);
  auto restore = manifest->initRestore(size_of(lines));
  for (unsigned i = 0; i < restore.size(); ++i) restore.set(i, lines[i]);
  return std::move(manifest).finish();
}

/// What was seen when it was planned is what is there: a disk may have been pulled out since, and
/// the folder would then be the system's own.
Result<void> check_ground(Host& host, const BackupWish& wish, const BackupGround& ground) {
  RELAB_TRY(const auto target, read_target(host, wish.folder));
  if (target.mounted && target.serial == ground.disk_serial) return {};
  return fail(Fault::conflict,
              fmt::format("{} is not the disk any more that was looked at", wish.folder.string()),
              "run it again");
}

}  // namespace

Result<void> check_stream(const SendStream& stream, const std::vector<Node>& snapshots) {
  if (!stream.is_package)
    return fail(Fault::damaged, "it is no stream of a dataset with all below it");
  std::map<std::string, const Node*> missing;
  std::set<std::uint64_t> known = {0};
  for (const auto& node : snapshots) missing.emplace(node.name, &node);
  for (const auto& part : stream.substreams) {
    const auto wanted = missing.find(part.to_name);
    if (wanted == missing.end() || wanted->second->guid != part.to_guid)
      return fail(Fault::damaged,
                  fmt::format("the stream has {} (guid {}), which was not to be sent", part.to_name,
                              part.to_guid));
    if (wanted->second->encrypted && !part.has(Feature::raw))
      return fail(Fault::damaged,
                  fmt::format("{} is encrypted, and the stream has it decrypted", part.to_name));
    if (part.has(Feature::resuming) || part.has(Feature::redacted))
      return fail(Fault::damaged, fmt::format("the stream has only a part of {}", part.to_name));
    if (!known.contains(part.from_guid))
      return fail(
          Fault::damaged,
          fmt::format("{} builds on a snapshot that the stream does not have", part.to_name));
    known.insert(part.to_guid);
    missing.erase(wanted);
  }
  if (missing.empty()) return {};
  return fail(Fault::damaged,
              fmt::format("the stream is whole, and {} of {} snapshots are not in it: "
                          "{}{}",
                          missing.size(), snapshots.size(), missing.begin()->first,
                          missing.size() > 1 ? ", ..." : ""),
              retry_hint);
}

Result<void> write_backup(Host& host, const BackupWish& wish, const BackupGround& ground) {
  RELAB_CHECK(check_ground(host, wish, ground));
  RELAB_TRY(const auto origin, read_origin(host, wish));
  RELAB_CHECK(check_no_scratch(origin));
  RELAB_TRY(const auto machine, host.read_file("/etc/machine-id"));
  RELAB_TRY(const auto file, host.create_file(wish.stream_part()));
  CopyingStream copying(host, *file, ground.estimate);
  RELAB_TRY(const auto output, host.stream({.argv = {"zfs", "send", "-R", "-w", wish.full_name()},
                                            .timeout = send_time_max},
                                           copying));
  RELAB_CHECK(check_sender(output));
  RELAB_TRY(const auto stream, copying.finish().during("looking whether the stream is whole"));
  RELAB_CHECK(check_stream(stream, origin.snapshots));
  const auto manifest =
      manifest_of(wish, ground, origin, copying.digests(), std::string(trim(machine)), host.now());
  RELAB_CHECK(write_beside(host, wish.beside(), manifest_payload, manifest_text(manifest))
                  .during("writing the manifest"));
  return file->publish(wish.stream());
}

}  // namespace relab::agent::zfs
