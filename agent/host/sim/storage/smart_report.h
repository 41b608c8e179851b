#pragma once

/// What smartctl prints of a disk, from what an audit read out of it.

#include <string>

#include "agent/host/sim/storage/device.h"

namespace relab::agent::sim {

/// What smartctl says of each disk, by the kernel's names.
class SmartReports {
 public:
  explicit SmartReports(World world) : facts_(world.getDisks()) {}

  /// Whether the machine has smartctl at all.
  bool has_smartctl() const;
  /// Of `smartctl --json=c -a`. A disk that is failed says so itself.
  Output report(const Device& disk, const std::vector<std::string>& argv) const;
  /// Of a disk that is not there.
  static Output not_opened(const std::vector<std::string>& argv);

 private:
  /// Why the disk has no row.
  std::string why_none(const Device& disk) const;

  schema::AuditDisks::Facts::Reader facts_;
};

}  // namespace relab::agent::sim
