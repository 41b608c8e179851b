#include "agent/kinds/archive/originals.h"

#include <algorithm>

#include "agent/kinds/support/fill.h"
#include "common/base/text.h"
#include "common/wire/message.h"

namespace relab::agent::archive {

bool is_of_database(std::string_view path, std::string_view database) {
  if (!path.starts_with(database)) return false;
  const auto rest = path.substr(database.size());
  return rest.empty() || std::ranges::find(database_logs, rest) != std::end(database_logs);
}

Result<std::vector<Original>> originals_of(Host& host, const std::string& database) {
  std::vector<Original> found;
  // The -shm is but an index of the -wal, and written by readers, too.
  for (const auto* suffix : {"", "-wal", "-journal"}) {
    const auto path = database + suffix;
    const auto status = host.status(path);
    if (!status && status.error().fault == Fault::missing) continue;
    if (!status) return fail(status.error());
    if (path != database && status->size == 0) continue;
    found.push_back({.path = path, .bytes = status->size, .modified = status->modified});
  }
  return found;
}

void write_originals(const std::vector<Original>& originals,
                     capnp::List<schema::ArchiveManifest::Original>::Builder list) {
  fill(list, originals, [](auto row, const Original& original) {
    row.setPath(original.path);
    row.setBytes(original.bytes);
    row.setModified(unix_millis(original.modified));
  });
}

std::vector<Original> read_originals(schema::ArchiveManifest::Reader manifest,
                                     std::string_view database) {
  std::vector<Original> originals;
  for (const auto row : manifest.getCopied())
    if (is_of_database(view(row.getPath()), database))
      originals.push_back({.path = str(row.getPath()),
                           .bytes = row.getBytes(),
                           .modified = instant_of(row.getModified())});
  return originals;
}

}  // namespace relab::agent::archive
