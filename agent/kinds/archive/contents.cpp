#include "agent/kinds/archive/contents.h"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <clocale>
#include <condition_variable>
#include <cstdlib>
#include <fmt/format.h>
#include <mutex>
#include <optional>
#include <thread>

#include "common/base/handle.h"

namespace relab::agent::archive {

namespace {

using Archive = CHandle<::archive, archive_read_free>;

constexpr std::string_view database_begin("SQLite format 3\0", 16);
constexpr std::size_t entries_max = 10'000'000;
/// Of one file: a hole costs nothing in an archive, and hours to read.
constexpr std::uint64_t content_max = std::uint64_t{1} << 40U;

std::string type_of(archive_entry* entry) {
  if (archive_entry_hardlink(entry) != nullptr) return "hardlink";
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
      return "file";
    case AE_IFDIR:
      return "folder";
    case AE_IFLNK:
      return "link";
    case AE_IFIFO:
      return "fifo";
    case AE_IFCHR:
      return "character";
    case AE_IFBLK:
      return "block";
    default:
      return {};
  }
}

/// "./etc/hosts", as we have tar write it, is "/etc/hosts"; "./" is "/".
std::string absolute(std::string_view name) {
  if (name.starts_with("./")) name.remove_prefix(2);
  if (name == ".") name = {};
  while (name.starts_with('/')) name.remove_prefix(1);
  while (name.ends_with('/')) name.remove_suffix(1);
  return fmt::format("/{}", name);
}

void add_part(crypto::Blake2b& hash, std::string_view text) {
  hash.add(bytes_of(fmt::format("{}:", text.size())));
  hash.add(bytes_of(text));
}

std::string more_of(archive_entry* entry) {
  crypto::Blake2b hash;
  std::vector<std::pair<std::string, std::string>> attributes;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  archive_entry_xattr_reset(entry);
  while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
    attributes.emplace_back(name, std::string(static_cast<const char*>(value), size));
  std::ranges::sort(attributes);
  for (const auto& [key, content] : attributes) {
    add_part(hash, key);
    add_part(hash, content);
  }
  // What the mode says already is no list of its own.
  const auto lists = archive_entry_acl_types(entry);
  ssize_t length = 0;
  const CHandle<char, std::free> text(
      lists == 0 ? nullptr
                 : archive_entry_acl_to_text(entry, &length, ARCHIVE_ENTRY_ACL_STYLE_EXTRA_ID));
  if (text) add_part(hash, std::string_view(text.get(), static_cast<std::size_t>(length)));
  return attributes.empty() && !text ? std::string() : hex(hash.finish());
}

Result<Entry> entry_of(archive_entry* raw) {
  const auto* name = archive_entry_pathname(raw);
  Entry entry{.path = absolute(name == nullptr ? "" : name),
              .type = type_of(raw),
              .mode = static_cast<std::uint32_t>(archive_entry_perm(raw)),
              .uid = static_cast<std::uint32_t>(archive_entry_uid(raw)),
              .gid = static_cast<std::uint32_t>(archive_entry_gid(raw)),
              .modified = archive_entry_mtime(raw)};
  if (name == nullptr || entry.type.empty())
    return fail(Fault::damaged, fmt::format("it has something of an unknown type: {}", entry.path));
  if (entry.type == "hardlink") entry.target = absolute(archive_entry_hardlink(raw));
  if (entry.type == "link") {
    const auto* target = archive_entry_symlink(raw);
    entry.target = target == nullptr ? "" : target;
  }
  if (entry.type != "hardlink") entry.more = more_of(raw);
  return entry;
}

tl::unexpected<Error> broken(::archive* archive) {
  const auto* words = archive_error_string(archive);
  return fail(Fault::damaged,
              fmt::format("the archive is damaged: {}", words == nullptr ? "no reason" : words));
}

/// The content with its holes as zeros. Sets whether it begins as a database.
Result<std::string> digest_content(::archive* archive, Entry& entry, bool& database) {
  static constexpr std::array<std::uint8_t, 4096> zeros{};
  crypto::Blake2b hash;
  std::string begin;
  const auto add = [&](ByteView bytes) {
    if (begin.size() < database_begin.size())
      begin += text_of(bytes.first(std::min(bytes.size(), database_begin.size())));
    hash.add(bytes);
  };
  const auto fill_to = [&](std::uint64_t offset) {
    while (hash.bytes() < offset)
      add(ByteView(zeros).first(std::min<std::uint64_t>(zeros.size(), offset - hash.bytes())));
  };
  for (;;) {
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const auto code = archive_read_data_block(archive, &block, &size, &offset);
    if (code == ARCHIVE_EOF) break;
    if (code != ARCHIVE_OK) return broken(archive);
    fill_to(static_cast<std::uint64_t>(offset));
    if (size != 0) add({static_cast<const std::uint8_t*>(block), size});
  }
  fill_to(entry.bytes);
  if (hash.bytes() != entry.bytes)
    return fail(Fault::damaged, fmt::format("{} has another size than it says", entry.path));
  database = begin.starts_with(database_begin);
  return hex(hash.finish());
}

}  // namespace

/// The pieces on their way to the thread, one at a time.
class ContentsReader::Reading {
 public:
  Reading() : thread_([this] { read(); }) {}
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;
  ~Reading() {
    end_input();
    thread_.join();
  }

  Result<void> give(ByteView piece) {
    std::unique_lock lock(mutex_);
    piece_ = piece;
    has_piece_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !has_piece_ || ended_; });
    has_piece_ = false;
    if (ended_ && !*result_) return fail(result_->error());
    return {};
  }

  Result<Contents> finish() {
    end_input();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended_; });
    return std::move(*result_);
  }

 private:
  void end_input() {
    const std::scoped_lock lock(mutex_);
    input_ended_ = true;
    changed_.notify_all();
  }

  /// The next piece; it stays as it is until the one after it is asked for.
  ByteView next() {
    std::unique_lock lock(mutex_);
    if (lent_) {
      lent_ = false;
      has_piece_ = false;
      changed_.notify_all();
    }
    changed_.wait(lock, [&] { return has_piece_ || input_ended_; });
    if (!has_piece_) return {};
    lent_ = true;
    return piece_;
  }

  static la_ssize_t pull(::archive* /*archive*/, void* self, const void** buffer) {
    const auto piece = static_cast<Reading*>(self)->next();
    *buffer = piece.data();
    return static_cast<la_ssize_t>(piece.size());
  }

  void read() {
    // Names are UTF-8 in the archive, whatever the locale of the process is.
    const CHandle<std::remove_pointer_t<locale_t>, freelocale> utf8(
        newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr));
    if (utf8) uselocale(utf8.get());
    auto contents = read_all();
    uselocale(LC_GLOBAL_LOCALE);
    const std::scoped_lock lock(mutex_);
    result_ = std::move(contents);
    ended_ = true;
    changed_.notify_all();
  }

  Result<Contents> read_all() {
    const Archive archive(archive_read_new());
    archive_read_support_format_tar(archive.get());
    archive_read_support_filter_zstd(archive.get());
    // To the very end of what comes, and not only to the first mark of an end.
    archive_read_set_option(archive.get(), "tar", "read_concatenated_archives", "1");
    if (archive_read_open(archive.get(), this, nullptr, &pull, nullptr) != ARCHIVE_OK)
      return broken(archive.get());
    Contents contents;
    archive_entry* raw = nullptr;
    for (;;) {
      const auto code = archive_read_next_header(archive.get(), &raw);
      if (code == ARCHIVE_EOF) break;
      if (code != ARCHIVE_OK) return broken(archive.get());
      RELAB_CHECK(add(archive.get(), raw, contents));
    }
    if (!next().empty()) return fail(Fault::damaged, "there is more behind the end of the archive");
    return contents;
  }

  static Result<void> add(::archive* archive, archive_entry* raw, Contents& contents) {
    if (contents.entries.size() >= entries_max)
      return fail(Fault::unsupported, "the archive has more entries than can be kept in mind");
    RELAB_TRY(auto entry, entry_of(raw));
    if (entry.type == "file") {
      entry.bytes = static_cast<std::uint64_t>(archive_entry_size(raw));
      if (entry.bytes > content_max)
        return fail(Fault::unsupported,
                    fmt::format("{} is larger than what can be archived", entry.path));
      bool database = false;
      RELAB_TRY(entry.digest, digest_content(archive, entry, database));
      if (database) contents.databases.push_back(entry.path);
      contents.bytes += entry.bytes;
    }
    contents.entries.push_back(std::move(entry));
    return {};
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  ByteView piece_;
  bool has_piece_ = false;
  /// The thread has the piece.
  bool lent_ = false;
  bool input_ended_ = false;
  bool ended_ = false;
  std::optional<Result<Contents>> result_;
  std::thread thread_;
};

ContentsReader::ContentsReader() : reading_(std::make_unique<Reading>()) {}
ContentsReader::~ContentsReader() = default;

Result<void> ContentsReader::take(ByteView piece) { return reading_->give(piece); }
Result<Contents> ContentsReader::finish() { return reading_->finish(); }

}  // namespace relab::agent::archive
