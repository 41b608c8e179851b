#include "agent/kinds/zfs/readers.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

/// Disks that sleep take their time to wake up when `zpool import` reads their labels.
constexpr auto import_timeout = std::chrono::seconds(180);
/// Ten times as many snapshots as a careless schedule leaves behind.
constexpr std::size_t snapshots_size_max = std::size_t{32} << 20U;

/// Every time that came in words, to be filled in.
std::vector<Moment*> moments_in_words(std::vector<PoolStatus>& pools) {
  std::vector<Moment*> moments;
  for (auto& pool : pools)
    for (auto& scan : pool.scans)
      for (auto* moment : {&scan.started, &scan.ended})
        if (!moment->words.empty()) moments.push_back(moment);
  return moments;
}

/// ZFS prints times in the machine's time zone and without it; the machine's `date` knows it.
Result<void> resolve_times(Host& host, std::vector<PoolStatus>& pools) {
  const auto moments = moments_in_words(pools);
  if (moments.empty()) return {};
  Command command = {.argv = {"date", "--file=-", "+%s"}};
  for (const auto* moment : moments) command.input += moment->words + "\n";
  RELAB_TRY(const auto text, output_of(host, command).during("reading the times of scans"));
  const auto seconds = lines(text);
  if (seconds.size() != moments.size())
    return fail(Fault::damaged, "date did not answer every time that zpool status printed");
  for (std::size_t i = 0; i < moments.size(); ++i) {
    RELAB_TRY(const auto second, parse_number<std::uint32_t>(seconds[i]));
    moments[i]->unix_millis = std::uint64_t{second} * 1000;
  }
  return {};
}

Result<void> add_guids(Host& host, std::vector<PoolStatus>& pools) {
  RELAB_TRY(const auto text, output_of(host, {.argv = {"zpool", "status", "-gp"}}));
  RELAB_TRY(const auto with_guids, parse_status_text(text));
  for (auto& pool : pools) {
    const auto found = std::ranges::find(with_guids, pool.name, &PoolStatus::name);
    if (found == with_guids.end() || !take_guids(pool.vdevs, found->vdevs))
      return fail(Fault::damaged,
                  fmt::format("zpool status -g shows another layout of pool {}", pool.name));
  }
  return {};
}

/// Nothing, or a vdev without GUID by its name. A pool's own line has the name for its GUID.
std::optional<Error> first_without_guid(const std::vector<PoolStatus>& pools) {
  for (const auto& pool : pools)
    for (const auto& vdev : pool.vdevs)
      if (vdev.guid == 0 && vdev.parent)
        return Error{.fault = Fault::damaged,
                     .what = fmt::format("zpool status told no GUID of {} in pool {}", vdev.name,
                                         pool.name)};
  return {};
}

Result<std::vector<PoolStatus>> read_status_json(Host& host) {
  RELAB_TRY(const auto text,
            output_of(host, {.argv = {"zpool", "status", "-j", "--json-int", "-v"}}));
  return parse_status_json(text);
}

Result<Statuses> read_status_text(Host& host) {
  RELAB_TRY(const auto text, output_of(host, {.argv = {"zpool", "status", "-vPp"}}));
  RELAB_TRY(auto pools, parse_status_text(text));
  RELAB_CHECK(resolve_times(host, pools));
  if (auto added = add_guids(host, pools); !added)
    return Statuses{.pools = std::move(pools), .no_guids = std::move(added.error())};
  auto missing = first_without_guid(pools);
  return Statuses{.pools = std::move(pools), .no_guids = std::move(missing)};
}

/// `zpool import` names a device by its file name alone.
std::vector<Path> paths_of(const Vdev& vdev) {
  if (!vdev.path.empty()) return {vdev.path};
  std::vector<Path> paths;
  for (const auto* folder : {"/dev/disk/by-id", "/dev/disk/by-vdev", "/dev/disk/by-partuuid",
                             "/dev/disk/by-path", "/dev/disk/by-partlabel", "/dev/mapper", "/dev"})
    paths.push_back(Path(folder) / vdev.name);
  return paths;
}

/// Empty if any of them tells none: the rest would hide it.
std::string joined_serials(const std::vector<const BlockDevice*>& disks) {
  std::vector<std::string> serials;
  for (const auto* disk : disks) {
    if (disk->serial.empty()) return {};
    serials.push_back(disk->serial);
  }
  return fmt::format("{}", fmt::join(serials, ","));
}

}  // namespace

Result<std::vector<Imported>> read_pools(Host& host) {
  RELAB_TRY(const auto text,
            output_of(host, {.argv = {"zpool", "list", "-Hp", "-o", "name,guid,health"}}));
  std::vector<Imported> pools;
  for (const auto line : lines(text)) {
    const auto row = split(line, '\t');
    if (row.size() != 3 || row[0].empty())
      return fail(Fault::damaged, fmt::format("zpool list printed '{}'", line));
    RELAB_TRY(const auto guid, parse_number<std::uint64_t>(row[1]));
    pools.push_back({.name = std::string(row[0]), .guid = guid, .health = std::string(row[2])});
  }
  return pools;
}

Result<Statuses> read_status(Host& host, const Versions& versions) {
  // A path in the list of errors that is no UTF-8 breaks ZFS's JSON off, but not its text.
  if (versions.has_json())
    if (auto pools = read_status_json(host))
      return Statuses{.pools = *pools, .no_guids = first_without_guid(*pools)};
  return read_status_text(host);
}

Result<std::vector<PoolStatus>> read_importable(Host& host) {
  const Command command = {.argv = {"zpool", "import"}, .timeout = import_timeout};
  RELAB_TRY(const auto output, host.run(command));
  if (!output.truncated && trim(output.err) == "no pools available to import" &&
      trim(output.out).empty())
    return std::vector<PoolStatus>();
  if (output.status != 0 || output.truncated || !trim(output.err).empty() ||
      trim(output.out).empty())
    return fail(Fault::damaged, fmt::format("'zpool import' ended with {}: {}", output.status,
                                            first_words(output)));
  RELAB_TRY(auto pools, parse_status_text(output.out));
  for (const auto& pool : pools)
    if (pool.guid == 0)
      return fail(Fault::damaged, fmt::format("zpool import told no id of pool {}", pool.name));
  return pools;
}

Result<std::vector<Properties>> read_datasets(Host& host, const std::string& pool) {
  const auto columns = fmt::format("{}", fmt::join(dataset_columns, ","));
  RELAB_TRY(const auto text, output_of(host, {.argv = {"zfs", "list", "-Hp", "-r", "-t",
                                                       "filesystem,volume", "-o", columns, pool}}));
  RELAB_TRY(auto datasets, parse_datasets(text));
  // A pool always has its own dataset: without it the list is not whole, whatever the exit status.
  if (datasets.empty() || value_of(datasets[0], "name") != pool)
    return fail(Fault::damaged, fmt::format("zfs list does not know the dataset {}", pool));
  return datasets;
}

Result<std::map<std::string, Snapshots, std::less<>>> read_snapshots(Host& host,
                                                                     const std::string& pool) {
  RELAB_TRY(const auto text, output_of(host, {.argv = {"zfs", "list", "-Hp", "-r", "-t", "snapshot",
                                                       "-o", "name,creation,userrefs", pool},
                                              .output_max = snapshots_size_max}));
  return parse_snapshots(text);
}

Leaf find_leaf(Host& host, const BlockDevices& devices, const Vdev& vdev) {
  for (const auto& path : paths_of(vdev)) {
    const auto device = device_of(host, path);
    if (!device) continue;
    const auto disks = devices.disks_of(*device);
    if (disks.empty())
      return {.device = *device, .note = "lsblk does not know this device", .lost = true};
    Leaf leaf = {.device = *device, .serial = joined_serials(disks)};
    if (leaf.serial.empty()) leaf.note = "the disk tells no serial";
    return leaf;
  }
  return {.note = "there is no such device now", .lost = true};
}

}  // namespace relab::agent::zfs
