#pragma once

/// An archive as it stands on its disk, read back from it whole.

#include <optional>

#include "agent/kinds/archive/manifest.h"
#include "agent/kinds/support/signed_manifest.h"

namespace relab::agent::archive {

struct ArchiveName {
  Path folder;
  std::string name;

  Path file() const { return folder / (name + ".tar.zst"); }
  /// While it is written.
  Path part() const { return folder / (name + ".tar.zst.part"); }
  Beside beside() const { return {.folder = folder, .name = name}; }
  /// Of one that is to take the place of this one: what an operator names an archive has no such
  /// sign in it.
  ArchiveName newer() const { return {.folder = folder, .name = name + "+new"}; }
};

struct Stored {
  /// Nothing: there is no such file.
  std::optional<Message<schema::ArchiveManifest>> manifest = {};
  bool there = false;
  /// Why what is there is not a whole archive; empty: it was read back, and is.
  std::string conflict = {};
  std::uint64_t bytes = 0;
  std::uint64_t content_bytes = 0;
  std::string digest = {};
  std::string manifest_digest = {};
  std::string signed_by = {};
  /// The archive is the newer one, and what stands beside it does so under the newer name still: it
  /// was interrupted while it took its place.
  bool unsettled = false;
  /// Files of an attempt that did not come to its end.
  std::vector<std::string> leftovers = {};
};

/// Reads every byte past the page cache, and every entry. A damaged archive is a finding; an error
/// is only what keeps it from being looked at.
Result<Stored> read_stored(Host& host, const ArchiveName& name);

}  // namespace relab::agent::archive
