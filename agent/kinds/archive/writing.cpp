#include "agent/kinds/archive/writing.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/archive/compressed_file.h"
#include "agent/kinds/archive/originals.h"
#include "agent/kinds/archive/standstill.h"
#include "agent/kinds/support/fill.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/target.h"
#include "common/base/text.h"

namespace relab::agent::archive {

namespace {

/// tar ends a stream with two empty blocks.
constexpr std::size_t tail_size = 1024;

/// Everything that is done with the stream, in one pass.
class Passing final : public Sink {
 public:
  Passing(Host& host, Sink* file) : host_(host), file_(file) {}

  Result<void> take(ByteView piece) override {
    RELAB_CHECK(contents_.take(piece));
    if (file_ != nullptr) RELAB_CHECK(file_->take(piece));
    bytes_ += piece.size();
    tail_ += text_of(piece.last(std::min(piece.size(), tail_size)));
    if (tail_.size() > tail_size) tail_.erase(0, tail_.size() - tail_size);
    host_.progress({.done = bytes_,
                    .unit = "bytes",
                    .what = file_ == nullptr ? "looking for databases" : "writing the archive"});
    return {};
  }
  Result<Contents> finish() {
    if (tail_.size() < tail_size || tail_.find_first_not_of('\0') != std::string::npos)
      return fail(Fault::damaged, "tar's stream has no end");
    return contents_.finish();
  }

 private:
  Host& host_;
  Sink* file_;
  ContentsReader contents_;
  std::uint64_t bytes_ = 0;
  std::string tail_;
};

Result<void> remove_copies(Host& host, const Path& folder) {
  const Copies copies{.folder = folder};
  RELAB_TRY(const bool there, is_there(host, copies.place()));
  if (!there) return {};
  return must_run(host, {.argv = {"rm", "-r", "--one-file-system", "--", copies.place().string()}});
}

class Writing {
 public:
  /// Under `name`, which may be another one than that which the archive gets in the end.
  Writing(Host& host, const ArchiveWish& wish, ArchiveName name)
      : host_(host), wish_(wish), name_(std::move(name)), copies_{.folder = wish.name.folder} {}

  Result<void> write() {
    RELAB_CHECK(copy_databases());
    RELAB_TRY(const auto machine, host_.read_file("/etc/machine-id"));
    RELAB_TRY(const auto file, host_.create_file(name_.part()));
    CompressedFile compressed(*file);
    RELAB_TRY(const auto taken, pass(&compressed));
    RELAB_CHECK(compressed.finish());
    RELAB_CHECK(check_databases(taken));
    const auto manifest = manifest_of(taken, compressed, std::string(trim(machine)));
    RELAB_CHECK(write_beside(host_, name_.beside(), manifest_payload, manifest_text(manifest))
                    .during("writing the manifest"));
    // Before anything has its name: whoever finds the archive complete looks for nothing else.
    RELAB_CHECK(remove_copies(host_, wish_.name.folder));
    return file->publish(name_.file());
  }
  const Copies& copies() const { return copies_; }

 private:
  struct Taken {
    Contents contents;
    std::vector<std::string> changed;
  };

  /// Through the whole source once.
  Result<Taken> pass(Sink* file) {
    Passing passing(host_, file);
    RELAB_TRY(const auto output, host_.stream(tar_of(wish_.source, copies_), passing));
    RELAB_TRY(auto words, judge_tar(output));
    RELAB_TRY(auto contents, passing.finish());
    std::erase_if(words.changed, [&](const auto& path) { return is_beside_copy(path); });
    return Taken{.contents = std::move(contents), .changed = std::move(words.changed)};
  }
  /// What SQLite keeps beside a database of which there is a copy, and the folder in which that
  /// comes and goes: the copy stands for it.
  bool is_beside_copy(const std::string& path) const {
    return std::ranges::any_of(copies_.databases, [&](const std::string& database) {
      return path == Path(database).parent_path() || path == database + "-wal" ||
             path == database + "-shm" || path == database + "-journal";
    });
  }

  /// Those of this machine are known by their content: a name says nothing.
  Result<void> copy_databases() {
    if (wish_.source.vmid != 0) return {};
    RELAB_TRY(const auto seen, pass(nullptr));
    auto databases = seen.contents.databases;
    if (std::ranges::find(wish_.source.paths, proxmox_view) != wish_.source.paths.end()) {
      RELAB_TRY(const bool there, is_there(host_, proxmox_database));
      if (there && std::ranges::find(databases, proxmox_database) == databases.end())
        databases.emplace_back(proxmox_database);
    }
    for (const auto& database : databases) {
      const auto copy = copies_.of(database);
      RELAB_CHECK(must_run(
          host_, {.argv = {"mkdir", "-p", "-m", "700", "--", copy.parent_path().string()}}));
      RELAB_CHECK(note_original(database));
      // Removed with the place, also if it is not whole.
      copies_.databases.push_back(database);
      RELAB_CHECK(host_.copy_database(database, copy).during(fmt::format("copying {}", database)));
    }
    return {};
  }

  /// Before it is copied: what is written meanwhile is later than this says.
  Result<void> note_original(const std::string& database) {
    RELAB_TRY(auto files, originals_of(host_, database));
    originals_.insert(originals_.end(), std::make_move_iterator(files.begin()),
                      std::make_move_iterator(files.end()));
    return {};
  }

  /// What SQLite leaves beside a database only while somebody has it open, or after a crash; of the
  /// host's own there are copies. Empty: nothing.
  std::string left_open(const Contents& contents, const std::string& database) const {
    if (wish_.source.vmid == 0) return {};
    for (const auto* end : {"-wal", "-journal"})
      for (const auto& entry : contents.entries)
        if (entry.path == database + end && entry.bytes != 0) return entry.path;
    return {};
  }

  Result<void> check_databases(const Taken& taken) const {
    for (const auto& database : taken.contents.databases) {
      if (wish_.source.vmid == 0 &&
          std::ranges::find(copies_.databases, database) == copies_.databases.end())
        return fail(Fault::conflict, fmt::format("the database {} appeared meanwhile", database),
                    "run it again");
      if (wish_.source.vmid != 0 && wish_.stop.empty())
        return fail(Fault::refused,
                    fmt::format("{} in {} is a database: copied while it is written to, it may be "
                                "worth nothing",
                                database, wish_.source.title()),
                    "name the unit that writes it in `stop`");
      if (const auto beside = left_open(taken.contents, database); !beside.empty())
        return fail(
            Fault::refused,
            fmt::format("the database {} in {} is still in use, or was not closed: {} is "
                        "not empty",
                        database, wish_.source.title(), beside),
            "name the unit that writes it in `stop`; after a crash, start and stop it once");
      if (std::ranges::find(taken.changed, database) != taken.changed.end())
        return fail(Fault::conflict, fmt::format("the database {} changed meanwhile", database),
                    "name the unit that writes it in `stop`");
    }
    return {};
  }

  Message<schema::ArchiveManifest> manifest_of(const Taken& taken, const CompressedFile& file,
                                               const std::string& machine) const {
    const auto set_all = [](auto list, const auto& texts) {
      for (unsigned i = 0; i < list.size(); ++i) list.set(i, texts[i]);
    };
    Draft<schema::ArchiveManifest> manifest;
    manifest->setVersion(1);
    manifest->setArchive(wish_.name.file().filename().string());
    manifest->setBytes(file.bytes());
    manifest->setDigest(hex(file.digest()));
    manifest->setVmid(wish_.source.vmid);
    manifest->setMachineId(machine);
    manifest->setDiskSerial(wish_.disk_serial);
    manifest->setWrittenAt(unix_millis(host_.now()));
    set_all(manifest->initPaths(size_of(wish_.source.paths)), wish_.source.paths);
    set_all(manifest->initExclude(size_of(wish_.source.exclude)), wish_.source.exclude);
    set_all(manifest->initDatabases(size_of(taken.contents.databases)), taken.contents.databases);
    set_all(manifest->initChanged(size_of(taken.changed)), taken.changed);
    write_entries(taken.contents.entries, manifest->initEntries(size_of(taken.contents.entries)));
    write_originals(originals_, manifest->initCopied(size_of(originals_)));
    const auto lines = restore_by_hand(wish_.name.file().filename().string());
    set_all(manifest->initRestore(size_of(lines)), lines);
    return std::move(manifest).finish();
  }

  Host& host_;
  const ArchiveWish& wish_;
  ArchiveName name_;
  Copies copies_;
  std::vector<Original> originals_;
};

/// What was seen when it was planned is what is there.
Result<void> check_ground(Host& host, const ArchiveWish& wish) {
  RELAB_TRY(const auto target, read_target(host, wish.name.folder));
  if (target.mounted && target.serial == wish.disk_serial) return {};
  return fail(
      Fault::conflict,
      fmt::format("{} is not the disk any more that was looked at", wish.name.folder.string()),
      "run it again");
}

Result<void> write_as(const Hands& hands, const ArchiveWish& wish, const ArchiveName& name) {
  RELAB_CHECK(check_mounts(hands.host, wish.source));
  RELAB_CHECK(remove_copies(hands.host, wish.name.folder));
  Standstill standstill(hands, wish.source, wish.stop, wish.name.name);
  Writing writing(hands.host, wish, name);
  auto done = standstill.begin();
  if (done) done = writing.write();
  const auto started = standstill.end();
  auto cleaned = remove_copies(hands.rescue, wish.name.folder);
  // What it failed of is told first; but units that are down are worse than any archive.
  if (!started)
    return fail(Fault::damaged,
                fmt::format("{} could not be started again: {}{}", fmt::join(wish.stop, ", "),
                            started.error().sentence(),
                            done ? "" : "; and before that: " + done.error().sentence()),
                fmt::format("start them by hand; a timer tries it within {}", start_again_after));
  RELAB_CHECK(std::move(done));
  return cleaned;
}

void add_list(std::vector<std::string>& words, const std::vector<std::string>& list) {
  words.push_back(std::to_string(list.size()));
  words.insert(words.end(), list.begin(), list.end());
}

std::vector<std::string> take_list(const std::vector<std::string>& words, std::size_t& at) {
  const auto size = std::stoul(words.at(at++));
  std::vector<std::string> list;
  for (std::size_t i = 0; i < size; ++i) list.push_back(words.at(at++));
  return list;
}

}  // namespace

std::vector<std::string> words_of(const ArchiveWish& wish) {
  std::vector<std::string> words = {std::to_string(wish.source.vmid), wish.name.folder.string(),
                                    wish.name.name, wish.disk_serial};
  add_list(words, wish.source.paths);
  add_list(words, wish.source.exclude);
  add_list(words, wish.stop);
  return words;
}

ArchiveWish wish_of(const std::vector<std::string>& words) {
  ArchiveWish wish{
      .source = {.vmid = static_cast<std::uint32_t>(std::stoul(words.at(0))), .paths = {}},
      .name = {.folder = words.at(1), .name = words.at(2)},
      .disk_serial = words.at(3)};
  std::size_t at = 4;
  wish.source.paths = take_list(words, at);
  wish.source.exclude = take_list(words, at);
  wish.stop = take_list(words, at);
  return wish;
}

Result<void> write_archive(const Hands& hands, const ArchiveWish& wish) {
  RELAB_CHECK(check_ground(hands.host, wish));
  return write_archive_here(hands, wish);
}

Result<void> write_archive_here(const Hands& hands, const ArchiveWish& wish) {
  return write_as(hands, wish, wish.name);
}

Result<void> replace_archive(const Hands& hands, const ArchiveWish& wish) {
  RELAB_CHECK(check_ground(hands.host, wish));
  return replace_archive_here(hands, wish);
}

Result<void> replace_archive_here(const Hands& hands, const ArchiveWish& wish) {
  const auto newer = wish.name.newer();
  RELAB_CHECK(write_as(hands, wish, newer));
  RELAB_TRY(const auto stored, read_stored(hands.host, newer));
  if (!stored.conflict.empty())
    return fail(Fault::damaged,
                fmt::format("{} was written, and is not whole: {}; {} stays as it was",
                            newer.file().string(), stored.conflict, wish.name.file().string()),
                "look at that disk, and run it again");
  // rename(2), within one folder: at every moment one of both has the name.
  RELAB_CHECK(must_run(hands.host, {.argv = {"mv", "-f", "-T", "--", newer.file().string(),
                                             wish.name.file().string()}}));
  return settle(hands.rescue, wish.name);
}

Result<void> settle(Host& host, const ArchiveName& name) {
  const auto from = name.newer().beside();
  const auto to = name.beside();
  RELAB_TRY(const bool there, is_there(host, from.manifest()));
  if (!there) return {};
  RELAB_TRY(const bool has_head, is_there(host, from.head()));
  // The signature last: until then what stands under the newer name is what the archive has.
  std::vector<std::pair<Path, Path>> files;
  if (has_head) files.emplace_back(from.head(), to.head());
  files.emplace_back(from.manifest(), to.manifest());
  files.emplace_back(from.signature(), to.signature());
  if (!has_head) RELAB_CHECK(host.remove_file(to.head()));
  for (const auto& [old_name, new_name] : files) {
    RELAB_TRY(auto text, host.read_file(old_name, 2 * manifest_size_max));
    RELAB_CHECK(host.put_file(new_name, {.text = std::move(text)}, {.mode = 0600}));
  }
  for (const auto& [old_name, new_name] : files) RELAB_CHECK(host.remove_file(old_name));
  return {};
}

}  // namespace relab::agent::archive
