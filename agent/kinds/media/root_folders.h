#pragma once

/// Root folders of Sonarr and its kin, out of their SQLite files, without changing anything beside
/// them.

#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/support/place.h"

namespace relab::agent::media {

/// Reads the table RootFolders of the first of these files that exists, by the sqlite3 of this
/// machine, or else of the running container. An error if it could not be read whole.
///
/// A database in WAL mode that is merely opened to be read gets files beside it. So: with its log
/// and the log's index there, SQLite is told to open the index read-only, which is right beside a
/// running application, too; without a log nobody has it open, and it is read as immutable; with a
/// log, but no index, it is left alone.
Result<std::vector<std::string>> read_root_folders(Host& host, Place& place,
                                                   const std::vector<std::string>& databases);

/// The answer of sqlite3 -json to the query, which ends with a row that is null.
Result<std::vector<std::string>> parse_root_folders(std::string_view text);

/// A path as SQLite's URI with parameters.
std::string sqlite_uri(std::string_view path, std::string_view parameters);

}  // namespace relab::agent::media
