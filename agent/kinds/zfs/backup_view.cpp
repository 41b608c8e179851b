#include "agent/kinds/zfs/backup_view.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "agent/kinds/support/gaps.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

using State = schema::ZfsBackup::State;

/// Every snapshot up to the wanted one of its dataset.
Result<std::vector<Node>> to_be_sent(const std::vector<Node>& tree, const BackupWish& wish) {
  std::map<std::string, std::uint64_t> until;
  for (const auto& node : tree)
    if (node.snapshot() == wish.snapshot) until[node.dataset()] = node.create_txg;
  if (!until.contains(wish.dataset))
    return fail(Fault::missing, fmt::format("there is no snapshot {}", wish.full_name()),
                "take it first");
  for (const auto& node : tree)
    if (!node.is_snapshot() && !until.contains(node.name))
      return fail(Fault::conflict,
                  fmt::format("{} has no snapshot '{}': it was made since, and would not be copied",
                              node.name, wish.snapshot),
                  "take a snapshot of all by another name, and copy that");
  std::vector<Node> snapshots;
  for (const auto& node : tree)
    if (node.is_snapshot() && node.create_txg <= until[node.dataset()]) snapshots.push_back(node);
  return snapshots;
}

/// Why the manifest is not that of the wanted copy; empty if it is.
std::string difference(schema::BackupManifest::Reader manifest, const BackupWish& wish,
                       const Origin& origin, std::uint64_t bytes) {
  if (manifest.getBytes() != bytes)
    return fmt::format("the stream has {} bytes, and its manifest says {}", bytes,
                       manifest.getBytes());
  if (manifest.getPoolGuid() != origin.pool_guid)
    return fmt::format("it is a copy of another pool named '{}'", str(manifest.getPool()));
  if (view(manifest.getDataset()) != wish.dataset || view(manifest.getSnapshot()) != wish.snapshot)
    return fmt::format("it is a copy of {}@{}", view(manifest.getDataset()),
                       view(manifest.getSnapshot()));
  if (!same_snapshots(manifest.getSnapshots(), origin.snapshots))
    return "it is a copy of other snapshots of the same names";
  return {};
}

/// What bears the mark of a drill is left out of every copy: it must lie where drills put it.
Result<void> check_marks(const std::vector<Node>& tree) {
  for (const auto& node : tree) {
    const bool at_place = (node.dataset() + "/").find("/relab-drill/") != std::string::npos;
    if (node.scratch && !at_place)
      return fail(Fault::conflict,
                  fmt::format("{} bears the mark of a drill, relab:drill, and is where no drill "
                              "puts anything: it would be left out",
                              node.name),
                  fmt::format("take the mark off it: zfs inherit -r relab:drill {}", node.name));
  }
  return {};
}

}  // namespace

Result<Origin> read_origin(Host& host, const BackupWish& wish) {
  if (!is_dataset(wish.dataset) || wish.snapshot.empty())
    return fail(Fault::invalid, fmt::format("'{}' is no name of a snapshot", wish.full_name()));
  Origin origin;
  RELAB_TRY(origin.versions, read_versions(host));
  RELAB_TRY(auto tree, read_tree(host, wish.dataset));
  if (const auto left = std::ranges::find_if(tree, &Node::scratch); left != tree.end())
    origin.scratch = left->name;
  RELAB_CHECK(check_marks(tree));
  std::erase_if(tree, [](const Node& node) { return node.scratch; });
  RELAB_TRY(origin.pool_guid, guid_of_pool(host, pool_of(wish.dataset)));
  RELAB_TRY(origin.snapshots, to_be_sent(tree, wish));
  return origin;
}

Result<void> check_no_scratch(const Origin& origin) {
  if (origin.scratch.empty()) return {};
  return fail(Fault::conflict,
              fmt::format("{} was left by a drill, and would be copied along", origin.scratch),
              fmt::format("remove it: zfs destroy -r {}", origin.scratch));
}

Result<std::uint64_t> parse_estimate(std::string_view text) {
  for (const auto line : lines(text)) {
    const auto row = split(line, '\t');
    if (row.size() == 2 && row[0] == "size") return parse_number<std::uint64_t>(row[1]);
  }
  return fail(Fault::damaged, "zfs send told no size");
}

Result<std::uint64_t> estimate(Host& host, const BackupWish& wish) {
  RELAB_TRY(const auto text,
            output_of(host, {.argv = {"zfs", "send", "-nvP", "-R", "-w", wish.full_name()},
                             .timeout = std::chrono::hours(1),
                             .output_max = std::size_t{64} << 20U}));
  return parse_estimate(text).during("estimating the size");
}

Result<Existing> read_existing(Host& host, const BackupWish& wish, const Origin& origin) {
  Existing existing;
  const auto beside = wish.beside();
  RELAB_TRY(const bool has_part, is_there(host, wish.stream_part()));
  if (has_part) existing.leftovers.push_back(wish.stream_part().string());
  RELAB_TRY(const bool has_stream, is_there(host, wish.stream()));
  // The stream gets its name last.
  RELAB_TRY(const auto remains, has_stream ? beside.unfinished(host) : beside.found(host));
  for (const auto& path : remains) existing.leftovers.push_back(path.string());
  if (!has_stream) return existing;
  existing.state = State::OTHER;
  RELAB_TRY(const auto status, host.status(wish.stream()));
  existing.bytes = status.size;
  RELAB_TRY(const bool has_manifest, is_there(host, beside.manifest()));
  RELAB_TRY(existing.conflict, no_own_file(host, wish.stream()));
  if (existing.conflict.empty() && !has_manifest) existing.conflict = "it has no manifest";
  if (!existing.conflict.empty()) return existing;
  const auto read = read_beside(host, beside, manifest_payload, manifest_size_max);
  if (!read && read.error().fault != Fault::damaged) return fail(read.error());
  const auto manifest = read ? read_manifest(read->text)
                             : Result<Message<schema::BackupManifest>>(fail(read.error()));
  existing.conflict = manifest ? difference(manifest->reader(), wish, origin, status.size)
                               : "its manifest cannot be read: " + manifest.error().sentence();
  if (!existing.conflict.empty()) return existing;
  existing.state = State::COMPLETE;
  existing.digest = str(manifest->reader().getDigest());
  existing.manifest_digest = read->digest;
  existing.signed_by = read->signed_by;
  existing.has_head = read->has_head;
  existing.written_at = manifest->reader().getWrittenAt();
  return existing;
}

}  // namespace relab::agent::zfs
