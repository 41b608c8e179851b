#include "agent/kinds/archive/restore.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

#include "agent/kinds/archive/originals.h"
#include "agent/kinds/archive/source.h"
#include "agent/kinds/archive/stored.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/mounts.h"

namespace relab::agent::archive {

namespace {

using Params = schema::Restore;
using Facts = schema::Restore::Facts;
using State = schema::ZfsBackup::State;

constexpr std::size_t told_max = 200;
constexpr auto extract_time_max = std::chrono::hours(24 * 7);
constexpr auto apart_by_hand =
    "restore it into another folder, and put it in place by hand while pve-cluster is stopped";

bool is_within(std::string_view path, std::string_view folder) {
  if (folder == "/") return true;
  return path == folder || (path.starts_with(folder) && path.substr(folder.size())[0] == '/');
}

struct Wish {
  ArchiveName name;
  std::string into;
  /// Empty: all.
  std::vector<std::string> paths;

  bool asks_for(const std::string& path) const {
    return paths.empty() ||
           std::ranges::any_of(paths, [&](const auto& wanted) { return is_within(path, wanted); });
  }
  /// Beneath a pmxcfs that runs it would be worth nothing, or the end of both.
  bool leaves_apart(const std::string& path) const {
    return into == "/" && is_of_database(path, proxmox_database);
  }
  std::string place_of(const std::string& path) const { return into == "/" ? path : into + path; }
};

Wish wish_of(Params::Reader params) {
  Wish wish{.name = {.folder = str(params.getFolder()), .name = str(params.getName())},
            .into = str(params.getInto()),
            .paths = {}};
  for (const auto path : params.getPaths()) wish.paths.push_back(str(path));
  return wish;
}

/// What the archive has of it. Fault::missing if it has nothing of a path that was named.
Result<std::vector<Entry>> wanted_of(const Wish& wish, schema::ArchiveManifest::Reader manifest) {
  auto entries = entries_of(manifest);
  for (const auto& path : wish.paths)
    if (std::ranges::none_of(entries,
                             [&](const auto& entry) { return is_within(entry.path, path); }))
      return fail(Fault::missing,
                  fmt::format("the archive {} has no {}", wish.name.file().string(), path),
                  "its manifest has the paths that it has");
  std::erase_if(entries, [&](const auto& entry) { return !wish.asks_for(entry.path); });
  return entries;
}

/// What is there now of the paths of the archive, by path.
Result<std::map<std::string, Entry>> entries_there(Host& host, const Wish& wish,
                                                   const std::vector<Entry>& wanted,
                                                   schema::ArchiveManifest::Reader manifest) {
  Source source{.root = wish.into, .paths = {}};
  std::vector<std::string> candidates = wish.paths;
  if (candidates.empty())
    for (const auto path : manifest.getPaths()) candidates.push_back(str(path));
  // With /etc/pve goes its database, which lies below none of the paths.
  if (std::ranges::none_of(candidates,
                           [](const auto& path) { return is_within(proxmox_database, path); }) &&
      std::ranges::any_of(wanted, [](const auto& entry) { return entry.path == proxmox_database; }))
    candidates.emplace_back(proxmox_database);
  for (const auto& path : candidates) {
    const auto status = host.status(wish.place_of(path));
    if (!status && status.error().fault != Fault::missing) return fail(status.error());
    if (status) source.paths.push_back(path);
  }
  for (const auto path : manifest.getExclude()) source.exclude.push_back(str(path));
  std::map<std::string, Entry> there;
  if (source.paths.empty()) return there;
  ContentsReader reader;
  RELAB_TRY(const auto output, host.stream(tar_of(source), reader));
  RELAB_TRY(const auto words, judge_tar(output));
  RELAB_TRY(auto contents, reader.finish());
  for (auto& entry : contents.entries) there.emplace(entry.path, entry);
  return there;
}

void set_apart(const Wish& wish, std::vector<Entry>& wanted, Facts::Builder facts) {
  std::vector<std::string> apart;
  for (const auto& entry : wanted)
    if (wish.leaves_apart(entry.path)) apart.push_back(entry.path);
  std::erase_if(wanted, [&](const auto& entry) { return wish.leaves_apart(entry.path); });
  set_texts(facts.initApart(size_of(apart)), apart);
}

/// The paths of those that are not there, or not the same.
std::set<std::string> compare(const std::vector<Entry>& wanted,
                              const std::map<std::string, Entry>& there, Facts::Builder facts) {
  std::vector<std::string> missing;
  std::vector<std::string> differing;
  std::set<std::string> restored;
  for (const auto& entry : wanted) {
    const auto found = there.find(entry.path);
    if (found == there.end()) {
      missing.push_back(entry.path);
      restored.insert(entry.path);
      continue;
    }
    auto should_be = entry;
    if (entry.type == "folder") should_be.modified = found->second.modified;
    if (const auto what = difference(found->second, should_be); !what.empty()) {
      differing.push_back(fmt::format("{}: {}", entry.path, what));
      restored.insert(entry.path);
    }
  }
  facts.setWanted(wanted.size());
  facts.setSame(wanted.size() - missing.size() - differing.size());
  facts.setMissingCount(missing.size());
  facts.setDifferingCount(differing.size());
  const auto tell = [](const auto& init, const std::vector<std::string>& all) {
    auto list = init(static_cast<unsigned>(std::min(all.size(), told_max)));
    for (unsigned i = 0; i < list.size(); ++i) list.set(i, all[i]);
  };
  tell([&](unsigned size) { return facts.initMissing(size); }, missing);
  tell([&](unsigned size) { return facts.initDiffering(size); }, differing);
  return restored;
}

/// What another database of the name has left beside those that are restored.
Result<std::vector<std::string>> logs_beside(Host& host, const Wish& wish,
                                             const std::set<std::string>& restored,
                                             schema::ArchiveManifest::Reader manifest) {
  std::vector<std::string> candidates;
  for (const auto database : manifest.getDatabases())
    if (restored.contains(str(database)))
      for (const auto* suffix : database_logs) candidates.push_back(str(database) + suffix);
  for (const auto entry : manifest.getEntries()) std::erase(candidates, view(entry.getPath()));
  std::vector<std::string> logs;
  for (const auto& path : candidates) {
    RELAB_TRY(const bool there, is_there(host, wish.place_of(path)));
    if (there) logs.push_back(wish.place_of(path));
  }
  return logs;
}

/// Those that the kernel sees at the places of the entries.
Result<std::vector<std::string>> datasets_below(Host& host, const Wish& wish,
                                                const std::vector<Entry>& wanted) {
  RELAB_TRY(const auto into, host.canonical(wish.into));
  RELAB_TRY(const auto mounts, read_mounts(host));
  const auto root = into == "/" ? std::string() : into.string();
  std::set<std::string> datasets;
  for (const auto& entry : wanted) {
    const auto place = root + entry.path;
    const Mount* nearest = nullptr;
    for (const auto& mount : mounts)
      // Of two at one place the later one is seen.
      if (is_at_or_below(place, mount.point.string()) &&
          (nearest == nullptr || mount.point.native().size() >= nearest->point.native().size()))
        nearest = &mount;
    if (nearest != nullptr && nearest->type == "zfs") datasets.insert(nearest->source);
  }
  return std::vector<std::string>(datasets.begin(), datasets.end());
}

tl::unexpected<Error> refuse(std::string why, std::string hint) {
  return fail(Fault::refused, std::move(why), std::move(hint));
}

std::string first_of(const capnp::List<capnp::Text>::Reader& list, std::uint64_t count) {
  std::vector<std::string> first;
  for (unsigned i = 0; i < std::min(list.size(), 3U); ++i) first.push_back(str(list[i]));
  return fmt::format(
      "{}{}", fmt::join(first, "; "),
      count > first.size() ? fmt::format("; and {} more", count - first.size()) : std::string());
}

class Digesting final : public Sink {
 public:
  Result<void> take(ByteView piece) override {
    hash_.add(piece);
    return {};
  }
  std::string finish() { return hex(hash_.finish()); }

 private:
  crypto::Blake2b hash_;
};

}  // namespace

Result<Message<Facts>> Restore::observe(Params::Reader params, Host& host) {
  const auto wish = wish_of(params);
  RELAB_TRY(const auto status, host.status(wish.into).during("looking where it is restored to"));
  if (status.type != FileType::directory)
    return fail(Fault::invalid, fmt::format("{} is no folder", wish.into));
  RELAB_TRY(const auto stored, read_stored(host, wish.name));
  Draft<Facts> facts;
  facts->setDigest(stored.digest);
  facts->setManifestDigest(stored.manifest_digest);
  facts->setSignedBy(stored.signed_by);
  if (!stored.there) return std::move(facts).finish();
  facts->setState(stored.conflict.empty() ? State::COMPLETE : State::OTHER);
  facts->setConflict(stored.conflict);
  if (!stored.conflict.empty()) return std::move(facts).finish();
  RELAB_TRY(auto wanted, wanted_of(wish, stored.manifest->reader()));
  set_apart(wish, wanted, *facts);
  RELAB_TRY(const auto there, entries_there(host, wish, wanted, stored.manifest->reader()));
  RELAB_TRY(const auto datasets, datasets_below(host, wish, wanted));
  auto lies_in = facts->initDatasets(size_of(datasets));
  for (unsigned i = 0; i < lies_in.size(); ++i) lies_in.set(i, datasets[i]);
  const auto restored = compare(wanted, there, *facts);
  RELAB_TRY(const auto logs, logs_beside(host, wish, restored, stored.manifest->reader()));
  auto list = facts->initLogs(size_of(logs));
  for (unsigned i = 0; i < list.size(); ++i) list.set(i, logs[i]);
  return std::move(facts).finish();
}

Result<std::vector<Change>> Restore::plan(Params::Reader params, Facts::Reader facts) {
  const auto wish = wish_of(params);
  if (facts.getState() == State::NONE)
    return refuse(fmt::format("there is no archive {}", wish.name.file().string()),
                  "attach and mount the disk that has it");
  if (facts.getState() == State::OTHER)
    return refuse(fmt::format("{} is no whole archive: {}", wish.name.file().string(),
                              view(facts.getConflict())),
                  "nothing is restored from it: look at what it is");
  if (std::ranges::any_of(wish.paths, [&](const auto& path) { return wish.leaves_apart(path); }) ||
      (facts.getApart().size() != 0 && facts.getWanted() == 0))
    return refuse(
        fmt::format("{} is never restored into /, beneath a Proxmox that runs", proxmox_database),
        apart_by_hand);
  if (facts.getSignedBy().size() == 0)
    return refuse(fmt::format("nobody has signed the manifest of {}", wish.name.file().string()),
                  "nothing is restored from it: look at what it is");
  const auto missing = facts.getMissingCount();
  const auto differing = facts.getDifferingCount();
  if (missing + differing == 0) return std::vector<Change>();
  const auto told = {facts.getMissing(), facts.getDiffering()};
  if (wish.into == "/" && std::ranges::any_of(told, [](const auto& list) {
        for (const auto path : list)
          if (is_within(view(path), proxmox_view)) return true;
        return false;
      }))
    return refuse(fmt::format("{} belongs to Proxmox, which keeps it in a database", proxmox_view),
                  "restore it into another folder, and copy from there what you need");
  if (differing != 0 && !params.getReplace())
    return refuse(
        fmt::format("{} entr{} there and not the same: {}", differing,
                    differing == 1 ? "y is" : "ies are", first_of(facts.getDiffering(), differing)),
        "look at them; `replace = true` puts those of the archive in their place");
  if (facts.getLogs().size() != 0 && !params.getReplace())
    return refuse(fmt::format("beside a database that is restored there is a log, which SQLite "
                              "would play back over it: {}",
                              first_of(facts.getLogs(), facts.getLogs().size())),
                  "look whether it is still used; `replace = true` removes it");
  // First: once the database is as it should be, nothing tells any more that they are of another.
  std::vector<Change> changes;
  for (const auto log : facts.getLogs())
    changes.push_back(
        {.what = fmt::format("- {}, which SQLite would play back over the restored database",
                             view(log)),
         .how = {"remove", str(log)}});
  std::vector<std::string> what;
  if (missing != 0)
    what.push_back(fmt::format("+ {} entries: {}", missing, first_of(facts.getMissing(), missing)));
  if (differing != 0)
    what.push_back(fmt::format("~ {} entries replaced: {}", differing,
                               first_of(facts.getDiffering(), differing)));
  if (facts.getApart().size() != 0)
    what.push_back(fmt::format("{} stays in the archive: {}", proxmox_database, apart_by_hand));
  Change change{
      .what = fmt::format("{}; of {}, signed by the agent with the key {}", fmt::join(what, ", "),
                          wish.name.file().string(), view(facts.getSignedBy())),
      .how = {"extract", wish.name.folder.string(), wish.name.name, str(facts.getDigest()),
              wish.into, differing != 0 ? "replace" : "keep"}};
  change.how.insert(change.how.end(), wish.paths.begin(), wish.paths.end());
  changes.push_back(std::move(change));
  return changes;
}

Result<void> Restore::apply(const Change& change, Host& host) {
  auto how = change.how;
  RELAB_ASSERT(how.size() >= 2);
  if (how[0] == "remove") return host.remove_file(how[1]);
  how.erase(how.begin());
  RELAB_ASSERT(how.size() >= 5);
  const ArchiveName name{.folder = how[0], .name = how[1]};
  Command command{.argv = {"tar", "--extract", "--zstd", "--file=-", "--numeric-owner",
                           "--same-permissions", "--same-owner", "--acls", "--xattrs",
                           "--xattrs-include=*", "--sparse", "--directory=" + how[3]},
                  .timeout = extract_time_max};
  if (how[4] == "keep") command.argv.emplace_back("--skip-old-files");
  if (how[3] == "/") {
    command.argv.insert(command.argv.end(), {"--anchored", "--no-wildcards"});
    command.argv.push_back(fmt::format("--exclude=.{}", proxmox_database));
    for (const auto* suffix : database_logs)
      command.argv.push_back(fmt::format("--exclude=.{}{}", proxmox_database, suffix));
  }
  command.argv.emplace_back("--");
  for (std::size_t i = 5; i < how.size(); ++i) command.argv.push_back("." + how[i]);
  Digesting digest;
  RELAB_TRY(const auto output, host.feed(name.file(), command, digest));
  if (output.status != 0 || output.truncated)
    return fail(Fault::damaged,
                fmt::format("tar ended with {}: {}", output.status, first_words(output)),
                "run it again: what was restored stays, and is compared");
  if (digest.finish() != how[2])
    return fail(Fault::damaged, fmt::format("{} is not the file any more that was looked at",
                                            name.file().string()));
  return {};
}

}  // namespace relab::agent::archive
