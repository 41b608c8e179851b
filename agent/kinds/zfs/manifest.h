#pragma once

/// The manifest beside a copy: what its stream has to be. docs/formats/backup.md.

#include <string>
#include <vector>

#include "agent/kinds/zfs/ask.h"
#include "common/crypto/chunks.h"
#include "common/wire/message.h"
#include "schema/backup.capnp.h"

namespace relab::agent::zfs {

/// The most bytes that a manifest may have: chunks of 64 MiB, for a stream of some 50 TiB.
inline constexpr std::size_t manifest_size_max = std::size_t{64} << 20U;

/// As what it is signed.
inline constexpr std::string_view manifest_payload =
    "application/vnd.relab.backup-manifest.v1+json";

void write_snapshots(const std::vector<Node>& snapshots,
                     capnp::List<schema::Snapshot>::Builder list);

/// Whether a list of snapshots is exactly this one, by name and GUID, in whatever order.
bool same_snapshots(capnp::List<schema::Snapshot>::Reader list, const std::vector<Node>& snapshots);

/// Its JSON, from which `read_manifest` has the same.
std::string manifest_text(const Message<schema::BackupManifest>& manifest);

/// Fault::damaged for anything else than a manifest that holds together: digests of the right size,
/// as many as the stream has chunks, the digest of the whole that of the chunks.
Result<Message<schema::BackupManifest>> read_manifest(std::string_view text);

/// What a person does who has the disk and no relab.
std::vector<std::string> restore_by_hand(const std::string& stream, const std::string& dataset);

}  // namespace relab::agent::zfs
