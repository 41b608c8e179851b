#pragma once

/// What there was of a database when it was copied: its copy has other bytes and another time, so
/// that only this tells whether somebody has written to it since.

#include <string>
#include <vector>

#include "agent/host/host.h"
#include "schema/backup.capnp.h"

namespace relab::agent::archive {

/// What SQLite keeps beside a database.
inline constexpr const char* database_logs[] = {"-wal", "-shm", "-journal"};

/// The path is the database's, or that of what SQLite keeps beside it.
bool is_of_database(std::string_view path, std::string_view database);

struct Original {
  std::string path;
  std::uint64_t bytes = 0;
  Instant modified = {};

  bool operator==(const Original&) const = default;
};

/// The database, and its logs that have something in them: opening it makes and removes empty ones.
Result<std::vector<Original>> originals_of(Host& host, const std::string& database);

void write_originals(const std::vector<Original>& originals,
                     capnp::List<schema::ArchiveManifest::Original>::Builder list);
std::vector<Original> read_originals(schema::ArchiveManifest::Reader manifest,
                                     std::string_view database);

}  // namespace relab::agent::archive
