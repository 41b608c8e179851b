#pragma once

/// Task ids that a test can tell apart at a glance.

#include <cstdint>

#include "common/base/id.h"

namespace relab {

inline TaskId task(std::uint8_t number) {
  TaskId id;
  id.bytes.back() = number;
  return id;
}

}  // namespace relab
