#include "controller/run/lock.h"

#include <array>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include "common/base/file.h"
#include "common/base/text.h"
#include "common/base/time.h"

namespace relab::controller {

namespace {

std::string who(const std::string& command) {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("process {} on {}, running `relab {}` since {}\n", ::getpid(), host.data(),
                     command, iso8601(wall_clock()));
}

}  // namespace

Result<LabLock> LabLock::take(const std::filesystem::path& state_dir, const std::string& command) {
  RELAB_CHECK(make_private_folder(state_dir));
  const auto path = state_dir / "lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail(Fault::damaged, fmt::format("{}: {}", path.string(), words_of(errno)));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    const auto holder = read_small_file(path, 4096);
    return fail(Fault::busy,
                fmt::format("the lab is held by {}",
                            holder ? std::string(trim(*holder)) : "another process"),
                "wait for it, or look at it with `relab status`");
  }
  const auto text = who(command);
  // Only words for whoever comes second: the lock itself is the kernel's.
  if (::ftruncate(fd.get(), 0) != 0 || ::pwrite(fd.get(), text.data(), text.size(), 0) < 0)
    return LabLock(std::move(fd));
  return LabLock(std::move(fd));
}

}  // namespace relab::controller
