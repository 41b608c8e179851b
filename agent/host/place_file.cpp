// Every folder on the way is opened by itself, without following links, and all that is done is
// done relative to the last one: whoever may write to a folder above cannot lead us elsewhere
// meanwhile. The new content has a name of its own, always the same one, until it is whole: what a
// crash leaves behind is cleared away by the next attempt.

#include "agent/host/place_file.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/handle.h"

namespace relab::agent {

namespace {

Error error_of(int error, const Path& path) {
  if (error == ENOENT)
    return {.fault = Fault::missing, .what = fmt::format("there is no {}", path.string())};
  if (error == ELOOP || error == ENOTDIR)
    return {.fault = Fault::conflict,
            .what = fmt::format("{} is a symbolic link, or no folder", path.string())};
  if (error == ENOSPC || error == EDQUOT)
    return {.fault = Fault::busy,
            .what = fmt::format("the disk is full: {}", path.string()),
            .hint = "make room on it"};
  return {.fault = Fault::damaged, .what = fmt::format("{}: {}", path.string(), words_of(error))};
}

/// The folder of a path. Readable, so that it can be synced.
Result<Fd> open_folder_of(const Path& path) {
  if (!path.is_absolute() || path.lexically_normal() != path || !path.has_filename())
    return fail(Fault::invalid, fmt::format("'{}' is no absolute path", path.string()));
  constexpr int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  Fd folder(::open("/", flags));
  Path walked = "/";
  for (const auto& part : path.parent_path().relative_path()) {
    walked /= part;
    if (!folder) break;
    folder = Fd(::openat(folder.get(), part.c_str(), flags));
    if (!folder) return fail(error_of(errno, walked));
  }
  if (!folder) return fail(error_of(errno, walked));
  return folder;
}

Result<void> give(const Fd& fd, const Rights& rights, const Path& path) {
  // The owner first: a change of owner takes away some bits of the mode.
  if (::fchown(fd.get(), rights.uid, rights.gid) != 0) return fail(error_of(errno, path));
  if (::fchmod(fd.get(), rights.mode) != 0) return fail(error_of(errno, path));
  return {};
}

Result<void> write_all(const Fd& fd, std::string_view content, const Path& path) {
  while (!content.empty()) {
    const auto count = ::write(fd.get(), content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(error_of(errno, path));
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

/// A whole file under a name for the time being.
Result<void> write_new(const Fd& folder, const std::string& name, std::string_view content,
                       const Rights& rights, const Path& path) {
  if (::unlinkat(folder.get(), name.c_str(), 0) != 0 && errno != ENOENT)
    return fail(error_of(errno, path));
  constexpr mode_t mode = 0600;
  const Fd file(::openat(folder.get(), name.c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file) return fail(error_of(errno, path));
  RELAB_CHECK(write_all(file, content, path));
  RELAB_CHECK(give(file, rights, path));
  if (::fsync(file.get()) != 0) return fail(error_of(errno, path));
  return {};
}

Result<void> check_replaceable(const Fd& folder, const Path& path) {
  struct stat info {};
  const auto name = path.filename();
  if (::fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT ? Result<void>() : fail(error_of(errno, path));
  if (S_ISREG(info.st_mode)) return {};
  return fail(Fault::conflict, fmt::format("{} is no regular file", path.string()));
}

}  // namespace

Result<void> place_file(const Path& path, std::string_view content, const Rights& rights) {
  RELAB_TRY(const auto folder, open_folder_of(path));
  RELAB_CHECK(check_replaceable(folder, path));
  const auto name = path.filename().string();
  const auto fresh = fmt::format(".{}.relab-new", name.substr(0, 200));
  auto done = write_new(folder, fresh, content, rights, path);
  if (done && ::renameat(folder.get(), fresh.c_str(), folder.get(), name.c_str()) != 0)
    done = fail(error_of(errno, path));
  if (!done) {
    ::unlinkat(folder.get(), fresh.c_str(), 0);
    return done;
  }
  if (::fsync(folder.get()) != 0) return fail(error_of(errno, path));
  return {};
}

Result<void> place_directory(const Path& path, const Rights& rights) {
  RELAB_TRY(const auto folder, open_folder_of(path));
  const auto name = path.filename().string();
  constexpr mode_t mode = 0700;
  if (::mkdirat(folder.get(), name.c_str(), mode) != 0 && errno != EEXIST)
    return fail(error_of(errno, path));
  const Fd made(
      ::openat(folder.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!made) return fail(error_of(errno, path));
  RELAB_CHECK(give(made, rights, path));
  if (::fsync(made.get()) != 0 || ::fsync(folder.get()) != 0) return fail(error_of(errno, path));
  return {};
}

}  // namespace relab::agent
