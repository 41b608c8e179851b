#include "agent/kinds/zfs/manifest.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "agent/kinds/support/fill.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

using Manifest = schema::BackupManifest;

constexpr std::uint32_t version_now = 1;

using Identity = std::pair<std::string, std::uint64_t>;

Result<crypto::Digest> read_digest(std::string_view text) {
  RELAB_TRY(const auto bytes, parse_hex(text).during("reading a digest"));
  crypto::Digest digest{};
  if (bytes.size() != digest.size())
    return fail(Fault::damaged, fmt::format("'{}' is no digest of 32 bytes", text));
  std::ranges::copy(bytes, digest.begin());
  return digest;
}

Result<void> check(Manifest::Reader manifest) {
  if (manifest.getVersion() != version_now)
    return fail(Fault::unsupported, fmt::format("the manifest is of version {}, and this relab "
                                                "reads version {}",
                                                manifest.getVersion(), version_now));
  const auto chunk = manifest.getChunkBytes();
  if (chunk == 0 || manifest.getBytes() == 0)
    return fail(Fault::damaged, "the manifest is of an empty stream");
  const auto chunks = (manifest.getBytes() - 1) / chunk + 1;
  if (manifest.getChunks().size() != chunks)
    return fail(Fault::damaged, fmt::format("the manifest has digests of {} chunks, and the stream "
                                            "has {}",
                                            manifest.getChunks().size(), chunks));
  std::vector<crypto::Digest> digests;
  for (const auto text : manifest.getChunks()) {
    RELAB_TRY(const auto digest, read_digest(view(text)));
    digests.push_back(digest);
  }
  RELAB_TRY(const auto whole, read_digest(view(manifest.getDigest())));
  if (whole != crypto::digest_of_chunks(digests))
    return fail(Fault::damaged, "the manifest's digest is not that of its chunks");
  return {};
}

}  // namespace

void write_snapshots(const std::vector<Node>& snapshots,
                     capnp::List<schema::Snapshot>::Builder list) {
  fill(list, snapshots, [](auto row, const Node& node) {
    row.setDataset(node.dataset());
    row.setName(node.snapshot());
    row.setGuid(node.guid);
    row.setCreateTxg(node.create_txg);
    row.setCreatedAt(node.created * 1000);
    row.setEncrypted(node.encrypted);
  });
}

bool same_snapshots(capnp::List<schema::Snapshot>::Reader list,
                    const std::vector<Node>& snapshots) {
  std::set<Identity> wanted;
  for (const auto& node : snapshots) wanted.emplace(node.name, node.guid);
  std::set<Identity> found;
  for (const auto row : list)
    found.emplace(fmt::format("{}@{}", view(row.getDataset()), view(row.getName())), row.getGuid());
  return wanted == found && list.size() == snapshots.size();
}

std::string manifest_text(const Message<Manifest>& manifest) { return manifest.to_json() + "\n"; }

Result<Message<Manifest>> read_manifest(std::string_view text) {
  auto manifest = Message<Manifest>::from_json(text);
  if (!manifest)
    return fail(Fault::damaged, fmt::format("it is no manifest: {}", manifest.error().what));
  RELAB_CHECK(check(manifest->reader()));
  return std::move(*manifest);
}

std::vector<std::string> restore_by_hand(const std::string& stream, const std::string& dataset) {
  const auto text = fmt::format(
      "Check the copy: split -b 64M --filter='b2sum -l 256' {0} prints what stands under "
      "`chunks`.\n"
      "Import the pool that is to take it: an empty one, or one by another name.\n"
      "Restore: zfs receive -u -v POOL/restored <{0}\n"
      "Do not believe the exit status alone: zfs list -r -t all -o name,guid POOL/restored must "
      "show every snapshot under `snapshots`, by its guid.\n"
      "Load the key of the old pool: zfs load-key -r POOL/restored\n"
      "Mount it: zfs set mountpoint=/restored POOL/restored; zfs mount -a; and look with zfs "
      "mount, "
      "for zfs mount -a says nothing of what it left out.\n"
      "What was '{1}' is 'POOL/restored' now; rename it, or use it where it is.\n",
      stream, dataset);
  std::vector<std::string> list;
  for (const auto line : lines(text)) list.emplace_back(line);
  return list;
}

}  // namespace relab::agent::zfs
