#pragma once

/// Writes an archive and what stands beside it.

#include "agent/kinds/archive/source.h"
#include "agent/kinds/archive/stored.h"
#include "agent/kinds/kind.h"

namespace relab::agent::archive {

struct ArchiveWish {
  Source source;
  ArchiveName name;
  /// Units there that are stopped meanwhile.
  std::vector<std::string> stop = {};
  /// Of the disk that was looked at.
  std::string disk_serial = {};
};

/// As one line of words each, and back: what is planned is what is done.
std::vector<std::string> words_of(const ArchiveWish& wish);
ArchiveWish wish_of(const std::vector<std::string>& words);

/// After an error nothing has the archive's name, and what was set up for it is gone.
/// Fault::conflict if the folder is not what was looked at.
Result<void> write_archive(const Hands& hands, const ArchiveWish& wish);
/// The same, whatever the folder lies on.
Result<void> write_archive_here(const Hands& hands, const ArchiveWish& wish);

/// In place of an archive of that name: the new one is written beside it, read back from the disk,
/// and only then takes its place, at once. After an error, or a crash, one of both is there whole.
Result<void> replace_archive(const Hands& hands, const ArchiveWish& wish);
Result<void> replace_archive_here(const Hands& hands, const ArchiveWish& wish);

/// What stands beside a newer archive that has taken its place gets its names, too. Does nothing
/// where that was done.
Result<void> settle(Host& host, const ArchiveName& name);

}  // namespace relab::agent::archive
