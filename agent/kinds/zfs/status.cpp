#include "agent/kinds/zfs/status.h"

#include <algorithm>
#include <array>

#include "common/base/number.h"

namespace relab::agent::zfs {

namespace {

constexpr std::array groups = {"mirror",    "raidz1", "raidz2",  "raidz3",  "draid1",  "draid2",
                               "draid3",    "draid",  "raidz",   "spare",   "missing", "hole",
                               "replacing", "log",    "l2cache", "indirect"};

}  // namespace

std::string group_kind(std::string_view name) {
  const auto dash = name.rfind('-');
  if (dash == std::string_view::npos || !parse_number<std::uint32_t>(name.substr(dash + 1)))
    return {};
  auto kind = name.substr(0, dash);
  // A spare that is spread over a dRAID: "draid2-0-1".
  if (kind.starts_with("draid") && kind.find('-') != std::string_view::npos) return "dspare";
  // "draid2:4d:6c:1s-0"
  kind = kind.substr(0, kind.find(':'));
  return std::ranges::find(groups, kind) == groups.end() ? std::string() : std::string(kind);
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool blank = std::string_view(" \t\r\n").find(c) != std::string_view::npos;
    if (!blank) line += c;
    if (blank && !line.empty() && line.back() != ' ') line += ' ';
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

bool take_guids(std::vector<Vdev>& vdevs, const std::vector<Vdev>& with_guids) {
  const auto alike = [](const Vdev& a, const Vdev& b) {
    return a.depth == b.depth && a.role == b.role;
  };
  if (!std::ranges::equal(vdevs, with_guids, alike)) return false;
  for (std::size_t i = 0; i < vdevs.size(); ++i)
    vdevs[i].guid = parse_number<std::uint64_t>(with_guids[i].name).value_or(0);
  return true;
}

}  // namespace relab::agent::zfs
