#pragma once

/// The manifest beside an archive: every entry that it has. docs/formats/archive.md.

#include <string>
#include <vector>

#include "agent/kinds/archive/contents.h"
#include "common/wire/message.h"
#include "schema/backup.capnp.h"

namespace relab::agent::archive {

inline constexpr std::string_view manifest_payload =
    "application/vnd.relab.archive-manifest.v1+json";
/// Some million entries.
inline constexpr std::size_t manifest_size_max = std::size_t{512} << 20U;

std::string manifest_text(const Message<schema::ArchiveManifest>& manifest);
/// Fault::damaged for anything else, ::unsupported for one of another version.
Result<Message<schema::ArchiveManifest>> read_manifest(std::string_view text);

void write_entries(const std::vector<Entry>& entries,
                   capnp::List<schema::ArchiveManifest::Entry>::Builder list);
std::vector<Entry> entries_of(schema::ArchiveManifest::Reader manifest);

/// In what the second differs from the first, in words; empty if in nothing.
std::string difference(const Entry& is, const Entry& should_be);

/// What a person does who has the disk and no relab.
std::vector<std::string> restore_by_hand(const std::string& archive);

}  // namespace relab::agent::archive
