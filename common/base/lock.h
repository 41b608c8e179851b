#pragma once

/// One process at a time: a lock that is a file.

#include <filesystem>
#include <string>

#include "common/base/handle.h"
#include "common/base/result.h"

namespace relab {

/// Held as long as it lives; the kernel releases it with the process, however that ends.
class FileLock {
 public:
  /// `command` is told to whoever comes second. Fault::busy if another process holds it: `what` is
  /// then who, on which machine, with which command, since when.
  static Result<FileLock> take(const std::filesystem::path& path, const std::string& command);

 private:
  explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace relab
