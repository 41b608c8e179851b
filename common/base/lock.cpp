#include "common/base/lock.h"

#include <array>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/base/time.h"

namespace relab {

namespace {

std::string who(const std::string& command) {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("process {} on {}, running `{}` since {}\n", ::getpid(), host.data(), command,
                     iso8601(wall_clock()));
}

}  // namespace

Result<FileLock> FileLock::take(const std::filesystem::path& path, const std::string& command) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail(Fault::damaged, fmt::format("{}: {}", path.string(), words_of(errno)));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    const auto holder = read_small_file(path, 4096);
    return fail(Fault::busy, holder ? std::string(trim(*holder)) : "another process");
  }
  const auto text = who(command);
  // Only words for whoever comes second: the lock itself is the kernel's.
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), text.data(), text.size(), 0) < 0)
    return FileLock(std::move(fd));
  return FileLock(std::move(fd));
}

}  // namespace relab
