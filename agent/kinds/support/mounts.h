#pragma once

/// Where file systems are mounted on this machine.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent {

/// One file system where it is mounted.
struct Mount {
  Path point;
  /// "ext4", "zfs"
  std::string type;
  /// "/dev/sdf1", or a dataset.
  std::string source;
  /// Nothing can be written to it: the mount is read-only, or, after errors, its file system.
  bool read_only = false;
  /// "98:0", the kernel's number of the file system: the same wherever it is mounted, in containers
  /// as well. Names are not: two of them may both be called "tmpfs".
  std::string device = {};
  /// The part of the file system that is seen there: "/", or what was bound. It ends in "//deleted"
  /// once that is no more.
  std::string root = {};

  bool operator==(const Mount&) const = default;
};

/// /proc/self/mountinfo as it is.
Result<std::string> read_mount_table(Host& host);

/// Every line of /proc/self/mountinfo, in its order: of two on one point the later one is seen.
/// Errors as for `parse_mountinfo`.
Result<std::vector<Mount>> parse_mounts(std::string_view text);
Result<std::vector<Mount>> read_mounts(Host& host);

/// The one that has this path, which is absolute and without dots: of two on one point the later.
/// Null if none does.
const Mount* holder_of(const std::vector<Mount>& mounts, std::string_view path);

/// Whether file systems of that type hold files of their own, and not what the kernel or other file
/// systems have.
bool holds_files(std::string_view type);

/// What is seen at this point, on the way that the kernel takes: of two on one point the upper one,
/// and nothing that lies below a point over which something else was mounted. Nothing if the path
/// is no mount point. Errors as for `parse_mountinfo`.
Result<std::optional<Mount>> parse_mount_at(std::string_view text, std::string_view path);
Result<std::optional<Mount>> mount_at(Host& host, std::string_view path);

/// The one that has this path, which is absolute and without dots and links, on the same way.
/// Errors as for `parse_mountinfo`.
Result<Mount> parse_mount_holding(std::string_view text, std::string_view path);

/// The mount points of /proc/self/mountinfo, in its order. Fault::damaged for a line of another
/// form, and for none at all: something is mounted at "/" on every machine.
Result<std::vector<Path>> parse_mountinfo(std::string_view text);

/// The mount points of this machine. An error if they cannot be read.
Result<std::vector<Path>> mount_points(Host& host);

/// Whether a path is another one, or lies below it; both absolute and without dots.
bool is_at_or_below(std::string_view path, std::string_view above);

}  // namespace relab::agent
