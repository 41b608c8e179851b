#include "common/base/file.h"

#include <array>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "common/base/handle.h"

namespace relab {

namespace {

namespace fs = std::filesystem;

Error error_of(const fs::path& path, int error) {
  const auto fault = error == ENOENT   ? Fault::missing
                     : error == ENOSPC ? Fault::busy
                                       : Fault::damaged;
  auto hint = error == ENOSPC ? "free some space on that file system" : "";
  if (error == ENOENT)
    return {.fault = fault, .what = fmt::format("there is no {}", path.string())};
  return {
      .fault = fault, .what = fmt::format("{}: {}", path.string(), words_of(error)), .hint = hint};
}

Result<void> write_all(int fd, std::string_view content, const fs::path& path) {
  while (!content.empty()) {
    const auto count = ::write(fd, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(error_of(path, errno));
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> sync_file(int fd, const fs::path& path) {
  if (::fsync(fd) != 0) return fail(error_of(path, errno));
  return {};
}

Result<void> sync_folder(const fs::path& folder) {
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return fail(error_of(folder, errno));
  return {};
}

}  // namespace

Result<std::string> read_small_file(const fs::path& path, std::size_t size_max) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return fail(error_of(path, errno));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail(error_of(path, errno));
  if (!S_ISREG(info.st_mode))
    return fail(Fault::invalid, fmt::format("{} is no regular file", path.string()));
  std::string text;
  std::array<char, 16384> buffer{};
  for (;;) {
    const auto count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(error_of(path, errno));
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > size_max)
      return fail(Fault::invalid,
                  fmt::format("{} has more than {} bytes", path.string(), size_max));
  }
}

Result<void> replace_file(const fs::path& path, std::string_view content, Durability durability) {
  const bool lasts = durability == Durability::lasting;
  auto name = path.string() + ".XXXXXX";
  const Fd fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd) return fail(error_of(path, errno));
  auto done = write_all(fd.get(), content, path);
  if (done && lasts) done = sync_file(fd.get(), path);
  if (done && ::rename(name.c_str(), path.c_str()) != 0) done = fail(error_of(path, errno));
  if (!done) ::unlink(name.c_str());
  RELAB_CHECK(std::move(done));
  if (!lasts) return {};
  return sync_folder(path.has_parent_path() ? path.parent_path() : fs::path("."));
}

Result<void> check_private(const fs::path& path, std::string hint) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || (info.st_mode & 077U) == 0) return {};
  return fail(Fault::refused,
              fmt::format("{} can be read or written by others than its owner", path.string()),
              std::move(hint));
}

Result<void> make_private_folder(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return {};
  if (path.has_parent_path() && path.parent_path() != path)
    RELAB_CHECK(make_private_folder(path.parent_path()));
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  const int reason = errno;
  // Somebody else may have made it meanwhile; but a file of that name is no folder.
  if (reason == EEXIST && fs::is_directory(path, error)) return {};
  return fail(error_of(path, reason));
}

Result<std::uint64_t> free_bytes(const fs::path& path) {
  std::error_code error;
  const auto space = fs::space(path, error);
  if (error) return fail(error_of(path, error.value()));
  return space.available;
}

}  // namespace relab
