#pragma once

/// Asks disks for their health, and knows which need not be asked.

#include <optional>
#include <string>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/disks/smart.h"
#include "agent/kinds/support/gaps.h"

namespace relab::agent::disks {

/// A disk as far as its health is concerned.
struct Patient {
  /// "sda"
  std::string name;
  std::string bus;
};

/// One disk that answered.
struct Diagnosis {
  std::string disk;
  Smart smart;
};

/// Runs smartctl for each disk that can have SMART. What has none is an absent part; what should
/// have it and could not be read is a problem.
std::vector<Diagnosis> read_health(Host& host, const std::vector<Patient>& patients, Gaps& gaps);

}  // namespace relab::agent::disks
