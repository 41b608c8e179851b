#pragma once

/// Disks and pools of a host, as a lab file describes them.

#include <string>
#include <vector>

#include "controller/adopt/adopt.h"
#include "controller/adopt/lab_text.h"

namespace relab::controller {

struct AdoptedDisk {
  std::string name;
  std::string serial;
  std::string model;
  std::uint64_t size = 0;
  /// "os", "data", "backup"
  std::string role;
};

struct AdoptedPool {
  std::string name;
  /// "mirror"
  std::string layout;
  /// By their names in the file.
  std::vector<std::string> disks;
  bool encrypted = false;
  std::string key_format = {};
};

struct AdoptedStorage {
  std::vector<AdoptedDisk> disks;
  std::vector<AdoptedPool> pools;
  /// What a lab file cannot describe, and why.
  std::vector<std::string> left_out;

  /// Whether a path of the host lies in one of the pools, by the pool's usual mount point.
  bool has(const std::string& path) const;
};

AdoptedStorage adopt_storage(const AdoptedAudit& audit);
void write(const AdoptedStorage& storage, LabText& out);

}  // namespace relab::controller
