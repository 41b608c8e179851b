#pragma once

/// Where paths that must not be lost really lie, by the looks of agents: `path_check`.

#include "controller/gates/gate.h"

namespace relab::controller {

struct Look {
  /// As the host sees it, every link followed; empty: see `concern`.
  std::string real;
  /// Why nobody knows: "nobody has looked", "there is nothing".
  std::string concern;
};

/// By the newest look at that path within `max_age`; 0 is the host itself.
Look look_at(const Evidences& evidences, const std::string& host, std::uint32_t vmid,
             const std::string& path, std::chrono::seconds max_age);

}  // namespace relab::controller
