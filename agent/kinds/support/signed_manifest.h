#pragma once

/// What stands beside a copy or an archive: the manifest that says what it has to be, its signature
/// by the agent, and the newest head of the ledger. docs/formats/backup.md.

#include <string>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent {

/// The files beside NAME in its folder; while they are written they have ".part" behind them.
struct Beside {
  Path folder;
  std::string name;

  Path manifest() const { return folder / (name + ".manifest"); }
  Path signature() const { return folder / (name + ".manifest.dsse"); }
  Path head() const { return folder / (name + ".head.dsse"); }
  /// With their unfinished forms; those that are there.
  Result<std::vector<Path>> found(Host& host) const;
  /// Unfinished forms that are there.
  Result<std::vector<Path>> unfinished(Host& host) const;
};

Result<bool> is_there(Host& host, const Path& path);

/// Why this is no file that lies on the file system of its folder: a link, or something that is
/// mounted over it, is lost with another disk. Empty: it is one.
Result<std::string> no_own_file(Host& host, const Path& path);

/// Fault::conflict if one of them is there already. The head is left out if none is known.
Result<void> write_beside(Host& host, const Beside& beside, std::string_view payload_type,
                          const std::string& manifest);

struct SignedManifest {
  std::string text;
  /// BLAKE2b-256, hexadecimal.
  std::string digest;
  /// The key whose signature of it is good, hexadecimal.
  std::string signed_by;
  bool has_head = false;
};

/// Fault::missing without a manifest, ::damaged without a signature, or with one that is not of it:
/// nothing is ever signed but by whoever has written it.
Result<SignedManifest> read_beside(Host& host, const Beside& beside, std::string_view payload_type,
                                   std::size_t size_max);

}  // namespace relab::agent
