#include "agent/kinds/support/mounts.h"

#include <algorithm>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent {

namespace {

constexpr std::size_t mountinfo_size_max = std::size_t{16} << 20U;

/// The kernel writes white space and backslashes as three octal digits.
std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto code = text[i] == '\\' && i + 3 < text.size()
                          ? parse_number<std::uint8_t>(text.substr(i + 1, 3), 8)
                          : Result<std::uint8_t>(fail(Fault::invalid, ""));
    if (code) i += 3;
    plain += code ? static_cast<char>(*code) : text[i];
  }
  return plain;
}

}  // namespace

Result<std::vector<Mount>> parse_mounts(std::string_view text) {
  constexpr std::size_t point = 4;
  std::vector<Mount> mounts;
  for (const auto line : lines(text)) {
    // "36 35 98:0 /root /mnt/point rw,noatime master:1 - ext4 /dev/sda1 rw"
    const auto parts = split(line, ' ');
    const auto dash = std::ranges::find(parts, "-");
    if (parts.size() <= point || !parts[point].starts_with('/') || parts.end() - dash < 3)
      return fail(Fault::damaged, "the table of mounts has a line of no known form");
    mounts.push_back({.point = unescaped(parts[point]),
                      .type = unescaped(dash[1]),
                      .source = unescaped(dash[2])});
  }
  if (mounts.empty()) return fail(Fault::damaged, "the table of mounts is empty");
  return mounts;
}

Result<std::vector<Mount>> read_mounts(Host& host) {
  RELAB_TRY(const auto text, host.read_file("/proc/self/mountinfo", mountinfo_size_max));
  return parse_mounts(text);
}

Result<std::vector<Path>> parse_mountinfo(std::string_view text) {
  RELAB_TRY(const auto mounts, parse_mounts(text));
  std::vector<Path> points;
  for (const auto& mount : mounts) points.push_back(mount.point);
  return points;
}

Result<std::vector<Path>> mount_points(Host& host) {
  RELAB_TRY(const auto text, host.read_file("/proc/self/mountinfo", mountinfo_size_max));
  return parse_mountinfo(text);
}

bool is_at_or_below(std::string_view path, std::string_view above) {
  if (above == "/") return true;
  return path.starts_with(above) && (path.size() == above.size() || path[above.size()] == '/');
}

bool holds_files(std::string_view type) {
  static constexpr std::string_view others[] = {
      "autofs",     "binfmt_misc", "bpf",      "cgroup",   "cgroup2", "configfs",
      "debugfs",    "devpts",      "devtmpfs", "efivarfs", "fusectl", "hugetlbfs",
      "mqueue",     "nsfs",        "overlay",  "proc",     "pstore",  "ramfs",
      "rpc_pipefs", "securityfs",  "sysfs",    "tmpfs",    "tracefs"};
  return std::ranges::find(others, type) == std::end(others);
}

}  // namespace relab::agent
