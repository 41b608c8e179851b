#pragma once

/// One controller at a time works on a lab.

#include <filesystem>
#include <string>

#include "common/base/handle.h"
#include "common/base/result.h"

namespace relab::controller {

/// Held as long as it lives; the kernel releases it with the process, however that ends.
class LabLock {
 public:
  /// Fault::busy, naming the process, machine, command and time, if another one holds the lab.
  static Result<LabLock> take(const std::filesystem::path& state_dir, const std::string& command);

 private:
  explicit LabLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace relab::controller
