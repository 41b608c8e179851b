#include "agent/kinds/archive/drift.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "agent/kinds/archive/manifest.h"
#include "agent/kinds/archive/originals.h"
#include "common/base/text.h"

namespace relab::agent::archive {

namespace {

using Manifest = schema::ArchiveManifest::Reader;
using Entries = std::map<std::string, Entry>;

class Looking final : public Sink {
 public:
  explicit Looking(Host& host) : host_(host) {}

  Result<void> take(ByteView piece) override {
    bytes_ += piece.size();
    host_.progress(
        {.done = bytes_, .unit = "bytes", .what = "comparing the archive with what is there now"});
    return contents_.take(piece);
  }
  Result<Contents> finish() { return contents_.finish(); }

 private:
  Host& host_;
  ContentsReader contents_;
  std::uint64_t bytes_ = 0;
};

/// What the comparison of entries passes over.
class Passed {
 public:
  Passed(const Source& source, Manifest manifest) : copied_(source.vmid == 0) {
    for (const auto path : manifest.getDatabases()) databases_.push_back(str(path));
  }

  /// A copy stands in the archive for the files of a database of this machine; beside one in a
  /// container the unit that was stopped for it keeps logs while it runs.
  bool has(const Entry& entry) const {
    return std::ranges::any_of(databases_, [&](const std::string& database) {
      if (!is_of_database(entry.path, database)) return false;
      return copied_ || entry.path.ends_with("-shm") ||
             (entry.path != database && entry.bytes == 0);
    });
  }

 private:
  bool copied_;
  std::vector<std::string> databases_;
};

Result<Entries> entries_now(Host& host, Source source, Manifest manifest) {
  if (source.vmid == 0)
    for (const auto path : manifest.getDatabases()) {
      source.exclude.push_back(str(path));
      for (const auto* suffix : database_logs) source.exclude.push_back(str(path) + suffix);
    }
  Looking looking(host);
  RELAB_TRY(const auto output, host.stream(tar_of(source), looking));
  RELAB_TRY(const auto words, judge_tar(output));
  RELAB_TRY(auto contents, looking.finish());
  Entries entries;
  for (auto& entry : contents.entries) entries.emplace(entry.path, entry);
  return entries;
}

/// Of a database of this machine; empty: nobody has written to it since.
Result<std::string> database_drift(Host& host, const std::string& database, Manifest manifest) {
  const auto then = read_originals(manifest, database);
  if (then.empty()) return database + ": the manifest does not tell how it was when it was copied";
  RELAB_TRY(const auto now, originals_of(host, database));
  if (now == then) return std::string();
  const bool there = !now.empty() && now.front().path == database;
  return fmt::format("{}: {}", database, there ? "was written to" : "is gone");
}

}  // namespace

Result<std::vector<std::string>> drift_of(Host& host, const Source& source, Manifest manifest) {
  RELAB_TRY(const auto now, entries_now(host, source, manifest));
  const Passed passed(source, manifest);
  Entries then;
  for (auto& entry : entries_of(manifest)) then.emplace(entry.path, entry);
  std::vector<std::string> drift;
  for (const auto& [path, entry] : then) {
    if (passed.has(entry)) continue;
    const auto found = now.find(path);
    if (found == now.end()) {
      drift.push_back(path + ": is gone");
      continue;
    }
    auto is = found->second;
    // Of a hard link it is that of the entry which has the content.
    if (is.type == "folder" || is.type == "hardlink") is.modified = entry.modified;
    if (const auto what = difference(is, entry); !what.empty())
      drift.push_back(fmt::format("{}: {}", path, what));
  }
  for (const auto& [path, entry] : now)
    if (!passed.has(entry) && !then.contains(path)) drift.push_back(path + ": is new");
  if (source.vmid == 0)
    for (const auto database : manifest.getDatabases()) {
      RELAB_TRY(auto what, database_drift(host, str(database), manifest));
      if (!what.empty()) drift.push_back(std::move(what));
    }
  return drift;
}

}  // namespace relab::agent::archive
