#pragma once

/// What `zpool status` and `zpool import` tell, whichever of their formats it came in.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::zfs {

/// A point in time as ZFS told it: as a number, or in words in the machine's own time zone.
struct Moment {
  std::uint64_t unix_millis = 0;
  std::string words = {};
};

/// One line of a pool's layout.
struct Vdev {
  std::size_t depth = 0;
  /// The position of the vdev above in the pool's list; none for the pool itself.
  std::optional<std::size_t> parent = {};
  std::string name;
  std::string kind;
  std::string role = "data";
  std::string state = {};
  std::uint64_t read_errors = 0;
  std::uint64_t write_errors = 0;
  std::uint64_t checksum_errors = 0;
  std::uint64_t guid = 0;
  std::string path = {};
  std::string note = {};
};

struct Scan {
  /// scrub, resilver, rebuild, errorscrub.
  std::string function;
  /// finished, canceled, scanning, paused, unknown.
  std::string state;
  Moment started = {};
  Moment ended = {};
  /// How long it took, where only that is told, and not when it was started.
  std::optional<std::chrono::seconds> took = {};
  std::uint64_t errors = 0;
  std::string words = {};
};

struct PoolStatus {
  std::string name;
  /// 0 where the format has none.
  std::uint64_t guid = 0;
  std::string state = {};
  std::string status = {};
  std::string action = {};
  std::string message = {};
  std::string notices = {};
  /// Nothing: ZFS did not tell.
  std::optional<std::uint64_t> data_errors = {};
  /// At most `damaged_max`.
  std::vector<std::string> damaged = {};
  std::vector<Scan> scans = {};
  std::vector<Vdev> vdevs = {};
};

inline constexpr std::size_t damaged_max = 200;
/// More than any real pool has; both bound what damaged input can make us build.
inline constexpr std::size_t vdevs_max = 4096;
inline constexpr std::size_t depth_max = 16;

/// Of `zpool status -j --json-int -v` (ZFS 2.3 on). Fault::damaged if it is not that.
Result<std::vector<PoolStatus>> parse_status_json(std::string_view text);

/// Of `zpool status -vPp`, or of the list that `zpool import` prints. Fault::damaged for any line
/// that is not understood: a pool is never left out silently. "no pools available" is no pool.
Result<std::vector<PoolStatus>> parse_status_text(std::string_view text);

/// Of the text after "scan:"; nothing for "none requested". What it cannot understand is a scan in
/// state "unknown".
std::optional<Scan> parse_scan(std::string_view words);

/// Takes the GUIDs out of the layout that `zpool status -g` printed, if both have the same shape.
/// False if they do not.
bool take_guids(std::vector<Vdev>& vdevs, const std::vector<Vdev>& with_guids);

/// mirror, raidz2, replacing, ... of a name such as "raidz2-0"; empty if the name is a device's.
std::string group_kind(std::string_view name);

/// The text with every run of white space made one space.
std::string one_line(std::string_view text);

}  // namespace relab::agent::zfs
