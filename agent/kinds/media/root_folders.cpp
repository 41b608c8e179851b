#include "agent/kinds/media/root_folders.h"

#include <fmt/format.h>
#include <optional>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/json.h"

namespace relab::agent::media {

namespace {

constexpr auto query = "SELECT Path FROM RootFolders UNION ALL SELECT NULL";

struct Beside {
  bool log = false;
  bool log_is_empty = false;
  bool index = false;
  bool journal = false;
};

Result<std::string> uri_of(const std::string& path, const Beside& beside) {
  if (beside.journal)
    return fail(Fault::busy, fmt::format("{} has an open journal", path), "audit again");
  if (beside.log && !beside.log_is_empty && !beside.index)
    return fail(
        Fault::damaged,
        fmt::format("{} has a write-ahead log without an index: reading it would change it", path),
        "start the application once, and audit again");
  return sqlite_uri(path,
                    beside.log && beside.index ? "mode=ro&readonly_shm=1" : "mode=ro&immutable=1");
}

std::vector<std::string> sqlite_line(std::string uri) {
  return {"sqlite3",   "-init", "/dev/null",    "-batch", "-bail",
          "-readonly", "-json", std::move(uri), query};
}

Result<std::vector<std::string>> answer_of(const Output& output) {
  if (output.status != 0 || output.truncated)
    return fail(Fault::damaged,
                fmt::format("sqlite3 ended with {}: {}", output.status, first_words(output)));
  return parse_root_folders(output.out);
}

/// A file beside a database; none if there is none. A log that is overlooked makes old rows pass
/// for new ones.
Result<std::optional<FileStatus>> status_if_any(Host& host, const std::string& path) {
  auto status = host.status(path);
  if (status) return std::optional(*status);
  if (status.error().fault != Fault::missing) return fail(status.error());
  return std::optional<FileStatus>();
}

Result<std::vector<std::string>> read_here(Host& host, const std::string& path) {
  RELAB_TRY(const auto log, status_if_any(host, path + "-wal"));
  RELAB_TRY(const auto journal, status_if_any(host, path + "-journal"));
  RELAB_TRY(const auto index, status_if_any(host, path + "-shm"));
  const Beside beside{.log = log.has_value(),
                      .log_is_empty = log && log->size == 0,
                      .index = index.has_value(),
                      .journal = journal && journal->size > 0};
  RELAB_TRY(auto uri, uri_of(path, beside));
  RELAB_TRY(const auto output, host.run({.argv = sqlite_line(std::move(uri))}));
  return answer_of(output);
}

Result<std::vector<std::string>> read_inside(Place& place, const std::string& path) {
  RELAB_TRY(const auto found,
            place.gather({.contents = {},
                          .names = {path + "-wal", path + "-shm", path + "-journal",
                                    "/usr/bin/sqlite3", "/usr/local/bin/sqlite3"},
                          .literal = true}));
  if (!found.names.contains("/usr/bin/sqlite3") && !found.names.contains("/usr/local/bin/sqlite3"))
    return fail(Fault::missing, fmt::format("no sqlite3 in {}", place.title()));
  const Beside beside{.log = found.names.contains(path + "-wal"),
                      .index = found.names.contains(path + "-shm"),
                      .journal = found.names.contains(path + "-journal")};
  RELAB_TRY(auto uri, uri_of(path, beside));
  RELAB_TRY(const auto output, place.run(sqlite_line(std::move(uri))));
  return answer_of(output);
}

Result<std::string> existing(Place& place, const std::vector<std::string>& databases) {
  RELAB_TRY(const auto found, place.gather({.contents = {}, .names = databases, .literal = true}));
  for (const auto& database : databases)
    if (found.names.contains(database)) return database;
  return fail(Fault::missing, fmt::format("there is no {}", fmt::join(databases, ", nor ")));
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
         c == '.' || c == '_' || c == '-';
}

}  // namespace

std::string sqlite_uri(std::string_view path, std::string_view parameters) {
  std::string uri = "file:";
  for (const char c : path)
    uri += is_plain(c) ? std::string(1, c) : fmt::format("%{:02x}", static_cast<unsigned char>(c));
  return uri + "?" + std::string(parameters);
}

Result<std::vector<std::string>> parse_root_folders(std::string_view text) {
  RELAB_TRY(const auto rows, parse_json(text, "sqlite3"));
  if (!rows.is_array() || rows.empty() || !rows.back().is_object() ||
      !rows.back().contains("Path") || !rows.back()["Path"].is_null())
    return fail(Fault::damaged, "sqlite3 did not print all of the table RootFolders");
  std::vector<std::string> folders;
  for (std::size_t i = 0; i + 1 < rows.size(); ++i) {
    folders.push_back(text_of(rows[i], "Path"));
    if (folders.back().empty()) return fail(Fault::damaged, "a root folder has no path");
  }
  return folders;
}

Result<std::vector<std::string>> read_root_folders(Host& host, Place& place,
                                                   const std::vector<std::string>& databases) {
  RELAB_TRY(const auto database, existing(place, databases));
  const auto here = place.on_host(database);
  auto folders =
      here ? read_here(host, here->string()) : Result<std::vector<std::string>>(fail(here.error()));
  if (folders || folders.error().fault == Fault::busy) return folders;
  const bool inside = place.running() && place.vmid() != 0;
  // Not seen from here, or no sqlite3 here: the container may have what it takes.
  const bool is_missing = folders.error().fault == Fault::missing;
  if (inside && (is_missing || !here))
    if (auto read = read_inside(place, database); read) return read;
  if (!is_missing) return folders;
  return fail(
      Fault::missing,
      fmt::format("{} cannot be read: {}; install the package sqlite3", database,
                  folders.error().what),
      inside ? "apt install sqlite3, on this machine or in the container" : "apt install sqlite3");
}

}  // namespace relab::agent::media
