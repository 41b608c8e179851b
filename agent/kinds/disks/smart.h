#pragma once

/// What `smartctl --json -a` tells of a disk's health.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::disks {

/// smartctl's exit status is a set of bits; these two mean that it read nothing.
inline constexpr int smartctl_read_nothing = 3;
/// Some command to the disk failed; the rest was read.
inline constexpr int smartctl_partly = 4;

struct Smart {
  /// Of smartctl, as it says itself.
  int exit_status = 0;
  /// What it complained about, joined.
  std::string messages = {};
  /// false: the disk says that it has no SMART. Nothing: smartctl does not tell.
  std::optional<bool> available = {};
  std::optional<bool> enabled = {};
  std::optional<bool> passed = {};
  std::string serial = {};
  std::string firmware = {};
  std::optional<std::uint64_t> power_on_hours = {};
  std::optional<std::uint64_t> temperature = {};
  std::optional<std::uint64_t> reallocated = {};
  std::optional<std::uint64_t> pending = {};
  std::optional<std::uint64_t> uncorrectable = {};
  std::optional<std::uint64_t> crc_errors = {};
  /// Percent of the rated life used.
  std::optional<std::uint64_t> wear = {};
  std::optional<std::uint64_t> spare = {};
  std::optional<std::uint64_t> critical_warning = {};
  std::optional<std::uint64_t> errors_logged = {};
  std::optional<std::uint64_t> self_test_errors = {};
  /// "Reallocated_Sector_Ct (now)".
  std::vector<std::string> failing = {};
};

/// Fault::damaged if the text is no report of smartctl.
Result<Smart> parse_smart(std::string_view json);

}  // namespace relab::agent::disks
