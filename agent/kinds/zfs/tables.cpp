#include "agent/kinds/zfs/tables.h"

#include <fmt/format.h>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

using Row = std::vector<std::string_view>;

Result<std::vector<Row>> rows_of(std::string_view text, std::size_t columns,
                                 std::string_view what) {
  std::vector<Row> rows;
  for (const auto line : lines(text)) {
    auto row = split(line, '\t');
    if (row.size() != columns || row[0].empty())
      return fail(Fault::damaged, fmt::format("{} printed a line with {} columns instead of {}",
                                              what, row.size(), columns));
    rows.push_back(std::move(row));
  }
  // The last line of an output that was cut off has no end.
  if (!text.empty() && !text.ends_with('\n'))
    return fail(Fault::damaged, fmt::format("the output of {} ends within a line", what));
  return rows;
}

void add_snapshot(Snapshots& snapshots, std::string_view name, std::uint64_t at) {
  // Those of the same second come in the order of their making.
  if (snapshots.count == 0 || at < snapshots.oldest_at) {
    snapshots.oldest = name;
    snapshots.oldest_at = at;
  }
  if (snapshots.count == 0 || at >= snapshots.newest_at) {
    snapshots.newest = name;
    snapshots.newest_at = at;
  }
  ++snapshots.count;
}

}  // namespace

Result<std::map<std::string, Properties, std::less<>>> parse_pool_properties(
    std::string_view text) {
  std::map<std::string, Properties, std::less<>> pools;
  RELAB_TRY(const auto rows, rows_of(text, 4, "zpool get"));
  for (const auto& row : rows)
    pools[std::string(row[0])].insert_or_assign(std::string(row[1]), std::string(row[2]));
  return pools;
}

Result<std::vector<Properties>> parse_datasets(std::string_view text) {
  std::vector<Properties> datasets;
  RELAB_TRY(const auto rows, rows_of(text, dataset_columns.size(), "zfs list"));
  for (const auto& row : rows) {
    Properties dataset;
    for (std::size_t i = 0; i < row.size(); ++i) dataset.emplace(dataset_columns[i], row[i]);
    datasets.push_back(std::move(dataset));
  }
  return datasets;
}

Result<std::map<std::string, Snapshots, std::less<>>> parse_snapshots(std::string_view text) {
  std::map<std::string, Snapshots, std::less<>> datasets;
  RELAB_TRY(const auto rows, rows_of(text, 3, "zfs list -t snapshot"));
  for (const auto& row : rows) {
    const auto at = row[0].find('@');
    if (at == std::string_view::npos)
      return fail(Fault::damaged, fmt::format("'{}' is no snapshot's name", row[0]));
    RELAB_TRY(const auto creation, parse_number<std::uint64_t>(row[1]));
    auto& snapshots = datasets[std::string(row[0].substr(0, at))];
    add_snapshot(snapshots, row[0].substr(at + 1), creation);
    // "-": a snapshot of a pool from before there were holds.
    if (row[2] != "0" && row[2] != "-") ++snapshots.held;
  }
  return datasets;
}

std::string value_of(const Properties& properties, std::string_view name) {
  const auto found = properties.find(name);
  return found == properties.end() || found->second == "-" ? std::string() : found->second;
}

Result<std::uint64_t> number_of(const Properties& properties, std::string_view name) {
  const auto found = properties.find(name);
  if (found == properties.end())
    return fail(Fault::damaged, fmt::format("ZFS told no property '{}'", name));
  if (found->second == "-" || found->second == "none") return 0;
  return parse_number<std::uint64_t>(found->second).during(fmt::format("reading '{}'", name));
}

std::string without_credentials(std::string_view location) {
  const auto scheme = location.find("://");
  if (scheme == std::string_view::npos) return std::string(location);
  const auto start = scheme + 3;
  const auto end = std::min(location.find('/', start), location.size());
  const auto at = location.substr(start, end - start).rfind('@');
  if (at == std::string_view::npos) return std::string(location);
  return fmt::format("{}{}", location.substr(0, start), location.substr(start + at + 1));
}

Versions parse_versions(std::string_view text) {
  static constexpr std::string_view tool = "zfs-";
  static constexpr std::string_view module = "zfs-kmod-";
  Versions versions;
  for (const auto line : lines(text)) {
    const auto words = trim(line);
    if (words.starts_with(module)) {
      versions.module = words.substr(module.size());
    } else if (words.starts_with(tool)) {
      versions.tool = words.substr(tool.size());
    }
  }
  return versions;
}

bool Versions::has_json() const {
  const auto parts = split(tool, '.');
  if (parts.size() < 2) return false;
  const auto major = parse_number<unsigned>(parts[0]);
  const auto minor = parse_number<unsigned>(parts[1].substr(0, parts[1].find('-')));
  return major && minor && (*major > 2 || (*major == 2 && *minor >= 3));
}

}  // namespace relab::agent::zfs
