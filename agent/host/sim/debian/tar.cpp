#include "agent/host/sim/debian/tar.h"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <regex>

#include "agent/kinds/support/mounts.h"
#include "common/base/handle.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

constexpr std::size_t size_max = std::size_t{1} << 32U;
/// What ends badly.
constexpr int tar_failed = 2;

using Reader = CHandle<::archive, archive_read_free>;

unsigned type_of(FileType type) {
  switch (type) {
    case FileType::directory:
      return AE_IFDIR;
    case FileType::symlink:
      return AE_IFLNK;
    case FileType::block:
      return AE_IFBLK;
    case FileType::character:
      return AE_IFCHR;
    case FileType::regular:
    case FileType::other:
      return AE_IFREG;
  }
  return AE_IFREG;
}

Path below(const std::string& root, std::string_view member) {
  while (member.starts_with("./")) member.remove_prefix(2);
  if (member == ".") member = {};
  while (member.starts_with('/')) member.remove_prefix(1);
  while (member.ends_with('/')) member.remove_suffix(1);
  return member.empty() ? Path(root) : Path(root) / member;
}

/// "s,^[.]/x,.," as sed's basic expressions, in those of C++: only what the kinds write of them.
std::string transformed(const std::string& transform, const std::string& name) {
  const auto parts = split(transform, ',');
  if (parts.size() != 4 || parts[0] != "s") return name;
  std::string pattern(parts[1]);
  std::string to(parts[2]);
  for (const auto& [basic, extended] : std::array<std::pair<std::string_view, std::string_view>, 4>{
           {{"\\(", "("}, {"\\)", ")"}, {"\\{", "{"}, {"\\}", "}"}}})
    for (auto at = pattern.find(basic); at != std::string::npos; at = pattern.find(basic, at + 1))
      pattern.replace(at, 2, extended);
  for (auto at = to.find("\\1"); at != std::string::npos; at = to.find("\\1", at)) to[at] = '$';
  return std::regex_replace(name, std::regex(pattern), to, std::regex_constants::format_first_only);
}

}  // namespace

/// An archive in the making, and what there is to be said of it.
class Tar::Writer {
 public:
  Writer(SimHost& host, const Call& call)
      : host_(host), call_(call), archive_(archive_write_new()) {
    archive_write_set_format_pax_restricted(archive_);
    archive_write_set_bytes_in_last_block(archive_, 1);
    archive_write_open(archive_, &stream_, nullptr, &append, nullptr);
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { archive_write_free(archive_); }

  void add(const std::string& member) {
    const auto path = below(call_.root, member);
    const auto status = host_.status(path);
    if (!status) {
      output_.err += fmt::format("tar: {}: Cannot stat: No such file or directory\n", member);
      output_.status = tar_failed;
      return;
    }
    add_tree(member, path, *status);
  }
  Output finish() && {
    archive_write_close(archive_);
    if (output_.status != 0)
      output_.err += "tar: Exiting with failure status due to previous errors\n";
    output_.out = std::move(stream_);
    return std::move(output_);
  }
  /// What each byte of it stands for, on the whole, once it is compressed: what is short is mostly
  /// headers.
  std::uint64_t grain() const {
    constexpr std::uint64_t header = 100;
    if (meant_ == bytes_) return 1;
    return std::max(meant_ / (bytes_ + members_ * header), std::uint64_t{1});
  }

 private:
  static la_ssize_t append(::archive* /*archive*/, void* text, const void* bytes,
                           std::size_t size) {
    static_cast<std::string*>(text)->append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
  }

  void add_tree(const std::string& member, const Path& path, const FileStatus& status) {
    if (std::ranges::find(call_.excluded, member) != call_.excluded.end()) return;
    if (status.type == FileType::other) {
      output_.err += fmt::format("tar: {}: socket ignored\n", member);
      return;
    }
    const bool is_folder = status.type == FileType::directory;
    write(is_folder ? member + "/" : member, path, status);
    // Other file systems are left out, but for their points.
    const bool is_other =
        member != "." &&
        std::ranges::find(host_.mounts(), path, &SimMount::point) != host_.mounts().end();
    const bool is_named = std::ranges::find(call_.names, member) != call_.names.end();
    if (!is_folder || (is_other && !is_named)) return;
    meant_ += host_.weight_of(path);
    for (const auto& name : host_.list(path).value_or(std::vector<std::string>()))
      if (const auto inner = host_.status(path / name))
        add_tree(fmt::format("{}/{}", member, name), path / name, *inner);
  }

  void write(std::string name, const Path& path, const FileStatus& status) {
    for (const auto& transform : call_.transforms) name = transformed(transform, name);
    const bool has_content = status.type == FileType::regular;
    const auto content = has_content ? host_.read_file(path, size_max) : Result<std::string>("");
    if (!content) {
      output_.err += fmt::format("tar: {}: Cannot open: Input/output error\n", name);
      output_.status = tar_failed;
      return;
    }
    auto* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, type_of(status.type));
    archive_entry_set_perm(entry, status.mode);
    archive_entry_set_uid(entry, status.uid);
    archive_entry_set_gid(entry, status.gid);
    const auto millis = status.modified.time_since_epoch().count();
    archive_entry_set_mtime(entry, millis / 1000, millis % 1000 * 1'000'000);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content->size()));
    if (status.type == FileType::symlink)
      archive_entry_set_symlink(entry, host_.read_link(path).value_or("").c_str());
    archive_write_header(archive_, entry);
    if (!content->empty()) archive_write_data(archive_, content->data(), content->size());
    archive_entry_free(entry);
    ++members_;
    bytes_ += content->size();
    meant_ += content->size() * host_.grain_of(path);
  }

  SimHost& host_;
  const Call& call_;
  ::archive* archive_;
  std::string stream_;
  Output output_;
  std::uint64_t members_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t meant_ = 0;
};

Tar::Tar(SimHost& host) : host_(host) {
  host_.program("tar", [this](const Command& command) { return run(command); });
}

bool Tar::read_call(const std::vector<std::string>& argv, Call& call) {
  static constexpr std::array<std::string_view, 14> without_effect = {
      "--format=posix", "--sort=name",       "--numeric-owner", "--acls",
      "--xattrs",       "--sparse",          "--anchored",      "--xattrs-include=*",
      "--no-wildcards", "--one-file-system", "--zstd",          "--same-permissions",
      "--same-owner",   "--no-same-owner"};
  bool only_names = false;
  for (std::size_t i = 1; i < argv.size(); ++i) {
    auto word = argv[i];
    if (only_names) {
      call.names.push_back(word);
      continue;
    }
    const bool has_next = i + 1 < argv.size();
    if ((word == "--file" || word == "--directory" || word == "--transform") && has_next)
      word += "=" + argv[++i];
    const auto value = word.substr(std::min(word.find('=') + 1, word.size()));
    if (word == "--")
      only_names = true;
    else if (word == "--create")
      call.creates = true;
    else if (word == "--extract")
      call.extracts = true;
    else if (word == "--skip-old-files")
      call.keeps_old = true;
    else if (word.starts_with("--file="))
      call.file = value;
    else if (word.starts_with("--directory="))
      call.root = value;
    else if (word.starts_with("--exclude="))
      call.excluded.push_back(value);
    else if (word.starts_with("--transform="))
      call.transforms.push_back(value);
    else if (!word.starts_with("--pax-option=") &&
             std::ranges::find(without_effect, word) == without_effect.end())
      return false;
  }
  return call.creates != call.extracts;
}

Result<Output> Tar::run(const Command& command) {
  Call call;
  if (!read_call(command.argv, call)) return host_.does_not_know(command);
  const auto root = host_.canonical(call.root);
  if (!root)
    return Output{.status = tar_failed,
                  .err = fmt::format("tar: {}: Cannot open: No such file or directory\ntar: Error "
                                     "is not recoverable: exiting now\n",
                                     call.root)};
  if (call.creates) return create(call);
  if (call.file == "-") return extract(call, command.input);
  RELAB_TRY(const auto archive, host_.read_file(call.file, size_max));
  return extract(call, archive);
}

Output Tar::create(const Call& call) {
  Writer writer(host_, call);
  for (const auto& name : call.names) writer.add(name);
  const auto grain = writer.grain();
  auto output = std::move(writer).finish();
  if (call.file == "-") {
    host_.stand_for(grain);
    return output;
  }
  host_.file(call.file, std::move(output.out), {.mode = 0644, .modified = host_.now()});
  host_.stand_for(call.file, grain);
  output.out.clear();
  return output;
}

Output Tar::extract(const Call& call, const std::string& archive) {
  const Reader reader(archive_read_new());
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_memory(reader.get(), archive.data(), archive.size()) != ARCHIVE_OK)
    return {.status = tar_failed, .err = "tar: This does not look like a tar archive\n"};
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK) {
    std::string name = archive_entry_pathname(entry);
    if (name.ends_with('/')) name.pop_back();
    if (std::ranges::find(call.excluded, name) != call.excluded.end()) continue;
    const bool is_wanted =
        call.names.empty() || std::ranges::any_of(call.names, [&](const std::string& member) {
          return name == member || name.starts_with(member + "/");
        });
    const auto path = below(call.root, name);
    if (!is_wanted || (call.keeps_old && host_.status(path))) continue;
    if (host_.is_read_only(path))
      return {
          .status = tar_failed,
          .err = fmt::format("tar: {}: Cannot {}: Read-only file system\ntar: Exiting with "
                             "failure status due to previous errors\n",
                             name, archive_entry_filetype(entry) == AE_IFDIR ? "mkdir" : "open")};
    const FileStatus status{
        .mode = static_cast<std::uint32_t>(archive_entry_perm(entry)),
        .uid = static_cast<std::uint32_t>(archive_entry_uid(entry)),
        .gid = static_cast<std::uint32_t>(archive_entry_gid(entry)),
        .modified = Instant(std::chrono::seconds(archive_entry_mtime(entry)) +
                            Millis(archive_entry_mtime_nsec(entry) / 1'000'000)),
        .changed = host_.now()};
    if (archive_entry_filetype(entry) == AE_IFDIR) {
      host_.directory(path, status);
      continue;
    }
    if (archive_entry_filetype(entry) == AE_IFLNK) {
      host_.link(path, archive_entry_symlink(entry));
      continue;
    }
    std::string content(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
    if (!content.empty()) archive_read_data(reader.get(), content.data(), content.size());
    if (!host_.occupy(path, content.size()))
      return {
          .status = tar_failed,
          .err = fmt::format("tar: {}: Cannot write: No space left on device\ntar: Exiting with "
                             "failure status due to previous errors\n",
                             name)};
    host_.file(path, std::move(content), status);
  }
  return {};
}

}  // namespace relab::agent::sim
