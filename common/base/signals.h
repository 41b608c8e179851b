#pragma once

/// Termination signals as something to poll on.

#include <optional>

#include "common/base/handle.h"

namespace relab {

class Signals {
 public:
  /// Blocks SIGTERM, SIGINT and SIGHUP for this thread and those it makes: call it before any other
  /// thread is made.
  Signals();
  int fd() const { return fd_.get(); }
  /// The number of a signal that waits, if any.
  std::optional<int> take() const;

 private:
  Fd fd_;
};

}  // namespace relab
