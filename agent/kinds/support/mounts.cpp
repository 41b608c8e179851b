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
    plain += text[i];
    if (text[i] != '\\' || i + 3 >= text.size()) continue;
    const auto code = parse_number<std::uint8_t>(text.substr(i + 1, 3), 8);
    if (!code) continue;
    plain.back() = static_cast<char>(*code);
    i += 3;
  }
  return plain;
}

bool has_ro(std::string_view options) { return options == "ro" || options.starts_with("ro,"); }

/// A mount, and on which other one it is.
struct Row {
  Mount mount;
  std::uint64_t id = 0;
  std::uint64_t parent = 0;
};

Result<std::vector<Row>> parse_rows(std::string_view text) {
  constexpr std::size_t device = 2;
  constexpr std::size_t root = 3;
  constexpr std::size_t point = 4;
  std::vector<Row> rows;
  for (const auto line : lines(text)) {
    // "36 35 98:0 /root /mnt/point rw,noatime master:1 - ext4 /dev/sda1 rw"
    const auto parts = split(line, ' ');
    const auto dash = std::ranges::find(parts, "-");
    if (parts.size() <= point + 1 || !parts[point].starts_with('/') || parts.end() - dash < 3)
      return fail(Fault::damaged, "the table of mounts has a line of no known form");
    RELAB_TRY(const auto id, parse_number<std::uint64_t>(parts[0]));
    RELAB_TRY(const auto parent, parse_number<std::uint64_t>(parts[1]));
    rows.push_back({.mount = {.point = unescaped(parts[point]),
                              .type = unescaped(dash[1]),
                              .source = unescaped(dash[2]),
                              .read_only = has_ro(parts[point + 1]) || has_ro(parts.back()),
                              .device = std::string(parts[device]),
                              .root = unescaped(parts[root])},
                    .id = id,
                    .parent = parent});
  }
  if (rows.empty()) return fail(Fault::damaged, "the table of mounts is empty");
  return rows;
}

/// What the first step of every path stands on: it is on none of the others.
const Row* root_of(const std::vector<Row>& rows) {
  const auto is_root = [&](const Row& row) {
    return row.mount.point == "/" && std::ranges::none_of(rows, [&](const Row& other) {
             return other.id == row.parent && other.id != row.id;
           });
  };
  const auto found = std::ranges::find_if(rows, is_root);
  return found == rows.end() ? nullptr : &*found;
}

/// From one mount to what is mounted on it at this point, and on that, to the uppermost. Each step
/// takes another row, so that a table that leads in a circle comes to an end as well.
const Row* climb(const std::vector<Row>& rows, const Row* from, const Path& point) {
  for (std::size_t steps = 0; steps < rows.size(); ++steps) {
    const auto next = std::ranges::find_if(rows, [&](const Row& row) {
      return row.parent == from->id && row.id != from->id && row.mount.point == point;
    });
    if (next == rows.end()) break;
    from = &*next;
  }
  return from;
}

/// The mount on which the way to a path ends.
Result<const Row*> walk(const std::vector<Row>& rows, std::string_view path) {
  const auto* seen = root_of(rows);
  if (seen == nullptr) return fail(Fault::damaged, "the table of mounts has no root");
  Path walked = "/";
  seen = climb(rows, seen, walked);
  for (const auto& part : Path(path).relative_path()) {
    walked /= part;
    seen = climb(rows, seen, walked);
  }
  return seen;
}

}  // namespace

Result<std::string> read_mount_table(Host& host) {
  return host.read_file("/proc/self/mountinfo", mountinfo_size_max);
}

Result<std::vector<Mount>> parse_mounts(std::string_view text) {
  RELAB_TRY(auto rows, parse_rows(text));
  std::vector<Mount> mounts;
  for (auto& row : rows) mounts.push_back(std::move(row.mount));
  return mounts;
}

Result<std::optional<Mount>> parse_mount_at(std::string_view text, std::string_view path) {
  RELAB_TRY(const auto rows, parse_rows(text));
  RELAB_TRY(const auto* seen, walk(rows, path));
  if (seen->mount.point != Path(path)) return std::optional<Mount>();
  return std::optional<Mount>(seen->mount);
}

Result<std::optional<Mount>> mount_at(Host& host, std::string_view path) {
  RELAB_TRY(const auto text, read_mount_table(host));
  return parse_mount_at(text, path);
}

Result<Mount> parse_mount_holding(std::string_view text, std::string_view path) {
  RELAB_TRY(const auto rows, parse_rows(text));
  RELAB_TRY(const auto* seen, walk(rows, path));
  return seen->mount;
}

Result<std::vector<Mount>> read_mounts(Host& host) {
  RELAB_TRY(const auto text, read_mount_table(host));
  return parse_mounts(text);
}

Result<std::vector<Path>> parse_mountinfo(std::string_view text) {
  RELAB_TRY(const auto mounts, parse_mounts(text));
  std::vector<Path> points;
  for (const auto& mount : mounts) points.push_back(mount.point);
  return points;
}

Result<std::vector<Path>> mount_points(Host& host) {
  RELAB_TRY(const auto text, read_mount_table(host));
  return parse_mountinfo(text);
}

bool is_at_or_below(std::string_view path, std::string_view above) {
  if (above == "/") return true;
  return path.starts_with(above) && (path.size() == above.size() || path[above.size()] == '/');
}

const Mount* holder_of(const std::vector<Mount>& mounts, std::string_view path) {
  const Mount* holder = nullptr;
  std::size_t longest = 0;
  for (const auto& mount : mounts) {
    const auto point = mount.point.string();
    if (!is_at_or_below(path, point) || point.size() < longest) continue;
    holder = &mount;
    longest = point.size();
  }
  return holder;
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
