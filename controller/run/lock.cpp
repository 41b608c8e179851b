#include "controller/run/lock.h"

#include <fmt/format.h>

#include "common/base/file.h"

namespace relab::controller {

Result<FileLock> lock_lab(const std::filesystem::path& state_dir, const std::string& command) {
  RELAB_CHECK(make_private_folder(state_dir));
  auto lock = FileLock::take(state_dir / "lock", "relab " + command);
  if (!lock && lock.error().fault == Fault::busy)
    return fail(Fault::busy, fmt::format("the lab is held by {}", lock.error().what),
                "wait for it, or look at it with `relab status`");
  return lock;
}

}  // namespace relab::controller
