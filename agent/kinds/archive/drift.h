#pragma once

/// In what the machine differs from an archive of it.

#include <string>
#include <vector>

#include "agent/kinds/archive/source.h"
#include "schema/backup.capnp.h"

namespace relab::agent::archive {

/// Every entry that is not in the archive as it is there now, in words with its path first: by
/// kind, owner, mode, time and content. Not compared are the times of folders, which change with
/// what comes and goes, and the bytes of databases that SQLite's own backup copied: these differ
/// once the size or time of the database or of a log of it does. Reads the whole source, and writes
/// nothing.
Result<std::vector<std::string>> drift_of(Host& host, const Source& source,
                                          schema::ArchiveManifest::Reader manifest);

}  // namespace relab::agent::archive
