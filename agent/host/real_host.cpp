#include "agent/host/real_host.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <thread>

#include "agent/host/process.h"
#include "common/base/handle.h"
#include "common/base/text.h"

namespace relab::agent {

namespace {

constexpr std::size_t chunk_size = 65536;
/// How often a stop request is looked for.
constexpr auto glance = Millis(50);

tl::unexpected<Error> stopped() {
  return fail(Fault::cancelled, "the task was cancelled or is out of time");
}

Error error_of(int error, const Path& path) {
  if (error == ENOENT || error == ENOTDIR)
    return {.fault = Fault::missing, .what = fmt::format("there is no {}", path.string())};
  return {.fault = Fault::damaged, .what = fmt::format("{}: {}", path.string(), words_of(error))};
}

FileType type_of(mode_t mode) {
  if (S_ISREG(mode)) return FileType::regular;
  if (S_ISDIR(mode)) return FileType::directory;
  if (S_ISLNK(mode)) return FileType::symlink;
  if (S_ISBLK(mode)) return FileType::block;
  if (S_ISCHR(mode)) return FileType::character;
  return FileType::other;
}

bool is_program(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         ::access(path.c_str(), X_OK) == 0;
}

bool is_anything(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

}  // namespace

Result<std::string> RealHost::find_program(const std::string& name) const {
  std::vector<std::string> candidates;
  if (name.starts_with('/')) {
    candidates.push_back(name);
  } else {
    for (const auto folder : split(path_, ':'))
      candidates.push_back(fmt::format("{}/{}", folder, name));
  }
  if (const auto found = std::ranges::find_if(candidates, is_program); found != candidates.end())
    return *found;
  // A dangling link or a file without the right to be run is a broken tool, not an absent one.
  if (const auto broken = std::ranges::find_if(candidates, is_anything); broken != candidates.end())
    return fail(Fault::damaged, fmt::format("{} is there, but it cannot be run", *broken));
  return fail(Fault::missing, fmt::format("no {} on this machine", name));
}

Result<Output> RealHost::run(const Command& command) {
  RELAB_ASSERT(!command.argv.empty());
  if (stop_.stop_requested()) return stopped();
  RELAB_TRY(const auto program, find_program(command.argv[0]));
  return run_process({.program = program, .command = command, .path = path_}, stop_);
}

Result<std::string> RealHost::read_file(const Path& path, std::size_t size_max) {
  if (stop_.stop_requested()) return stopped();
  // Without blocking: a named pipe that nobody writes to would hold the task for ever.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return fail(error_of(errno, path));
  std::string text;
  for (;;) {
    const auto size = text.size();
    text.resize(size + chunk_size);
    const auto count = ::read(file.get(), text.data() + size, chunk_size);
    if (count < 0 && errno != EINTR) return fail(error_of(errno, path));
    text.resize(size + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (text.size() > size_max)
      return fail(Fault::invalid,
                  fmt::format("{} has more than {} bytes", path.string(), size_max));
    if (count == 0) return text;
  }
}

Result<void> RealHost::pause(Millis span, const Waiting& /*waiting*/) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + span;
  for (;;) {
    if (stop_.stop_requested()) return stopped();
    const auto left = std::chrono::ceil<Millis>(until - Clock::now());
    if (left <= Millis(0)) return {};
    std::this_thread::sleep_for(std::min(left, glance));
  }
}

Result<std::vector<std::string>> RealHost::list(const Path& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error))
    names.push_back(entry->path().filename().string());
  if (error) return fail(error_of(error.value(), path));
  std::ranges::sort(names);
  return names;
}

Result<FileStatus> RealHost::status(const Path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return fail(error_of(errno, path));
  const auto modified =
      std::chrono::seconds(info.st_mtim.tv_sec) + std::chrono::nanoseconds(info.st_mtim.tv_nsec);
  return FileStatus{.type = type_of(info.st_mode),
                    .size = static_cast<std::uint64_t>(info.st_size),
                    .mode = info.st_mode & 07777U,
                    .uid = info.st_uid,
                    .gid = info.st_gid,
                    .major = major(info.st_rdev),
                    .minor = minor(info.st_rdev),
                    .modified = Instant(std::chrono::floor<Millis>(modified))};
}

Result<std::string> RealHost::read_link(const Path& path) {
  std::error_code error;
  auto target = std::filesystem::read_symlink(path, error);
  if (error.value() == EINVAL)
    return fail(Fault::invalid, fmt::format("{} is not a symbolic link", path.string()));
  if (error) return fail(error_of(error.value(), path));
  return target.string();
}

Result<Path> RealHost::canonical(const Path& path) {
  std::error_code error;
  auto real = std::filesystem::canonical(path, error);
  if (error) return fail(error_of(error.value(), path));
  return real;
}

}  // namespace relab::agent
