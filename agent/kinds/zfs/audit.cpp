#include "agent/kinds/zfs/audit.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/container.h"
#include "agent/kinds/zfs/write.h"

namespace relab::agent::zfs {

namespace {

/// What fits a report with room to spare; a machine with more must be looked at by hand.
constexpr std::size_t datasets_max = 4000;

/// Pools whose data nobody here could reach: labels on the disks of a machine without ZFS.
std::string pools_on_disks(Host& host) {
  const auto devices = BlockDevices::read(host);
  if (!devices) return {};
  std::vector<std::string> found;
  for (const auto& device : devices->all())
    if (device.file_system == "zfs_member")
      found.push_back(fmt::format("{} of pool '{}'", device.path, device.label));
  for (const auto& device : devices->unread())
    found.push_back(fmt::format("/dev/{}, which could not be looked at", device.name));
  return fmt::format("{}", fmt::join(found, ", "));
}

/// Without zpool there is nothing to see, but a disk that carries a pool must not pass unnoticed.
void note_absence(Host& host, const Error& missing, Gaps& gaps) {
  const auto disks = pools_on_disks(host);
  if (disks.empty()) return gaps.all_absent(missing.what);
  gaps.problem("pools",
               fmt::format("{}, but there is {}; install zfsutils-linux", missing.what, disks));
}

/// The module must be there before zpool is asked: most of its commands would load it.
Result<void> check_module(Host& host) {
  const auto module = host.status("/sys/module/zfs");
  if (module) return {};
  if (module.error().fault != Fault::missing) return fail(module.error());
  return fail(Fault::unsupported,
              "ZFS is installed, but its kernel module is not loaded: pools cannot be seen",
              "load it with 'modprobe zfs', then run the audit again");
}

class Section {
 public:
  Section(Host& host, Gaps& gaps, Facts::Builder facts) : host_(host), gaps_(gaps), facts_(facts) {}

  Result<void> read(const Versions& versions) {
    RELAB_TRY(const auto imported, read_pools(host_));
    std::vector<Pool> pools;
    for (const auto& pool : imported) pools.push_back({.imported = pool});
    if (!pools.empty()) {
      add_properties(pools);
      add_status(pools, versions);
    }
    write_pools(pools, facts_, gaps_);
    write_scans(pools, facts_, gaps_);
    write_damaged(pools, facts_);
    write_features(pools, facts_);
    write_datasets(datasets_of(pools), facts_, gaps_);
    const auto importable = read_importable_pools();
    write_importable(importable, facts_);
    write_layouts(pools, importable);
    return {};
  }

 private:
  void add_properties(std::vector<Pool>& pools);
  void add_status(std::vector<Pool>& pools, const Versions& versions);
  std::vector<Dataset> datasets_of(const std::vector<Pool>& pools);
  void add_datasets(const std::string& pool, std::vector<Dataset>& datasets);
  std::vector<PoolStatus> read_importable_pools();
  void write_layouts(const std::vector<Pool>& pools, const std::vector<PoolStatus>& importable);

  Host& host_;
  Gaps& gaps_;
  Facts::Builder facts_;
  /// None: lsblk could not be read, which is noted once.
  std::optional<BlockDevices> devices_ = {};
};

void Section::add_properties(std::vector<Pool>& pools) {
  const auto text = output_of(host_, {.argv = {"zpool", "get", "-Hp", "all"}});
  if (!text) return gaps_.problem("properties of the pools", text.error());
  auto all = parse_pool_properties(*text);
  if (!all) return gaps_.problem("properties of the pools", all.error());
  for (auto& pool : pools) {
    pool.properties = (*all)[pool.imported.name];
    if (pool.properties.empty())
      gaps_.problem(fmt::format("properties of pool {}", pool.imported.name),
                    "zpool get does not know it");
  }
}

void Section::add_status(std::vector<Pool>& pools, const Versions& versions) {
  auto statuses = read_status(host_, versions);
  if (!statuses) return gaps_.problem("status of the pools", statuses.error());
  if (statuses->no_guids) gaps_.problem("GUIDs of the vdevs", *statuses->no_guids);
  for (auto& pool : pools) {
    const auto found = std::ranges::find(statuses->pools, pool.imported.name, &PoolStatus::name);
    if (found == statuses->pools.end()) {
      gaps_.problem(fmt::format("status of pool {}", pool.imported.name),
                    "zpool status does not know it");
    } else {
      pool.status = std::move(*found);
    }
  }
}

void Section::add_datasets(const std::string& pool, std::vector<Dataset>& datasets) {
  const auto list = read_datasets(host_, pool);
  if (!list) return gaps_.problem(fmt::format("datasets of pool {}", pool), list.error());
  const auto snapshots = read_snapshots(host_, pool);
  if (!snapshots) gaps_.problem(fmt::format("snapshots of pool {}", pool), snapshots.error());
  for (const auto& properties : *list) {
    Dataset dataset = {.properties = properties};
    if (snapshots) {
      const auto found = snapshots->find(value_of(properties, "name"));
      if (found != snapshots->end()) dataset.snapshots = found->second;
    }
    datasets.push_back(std::move(dataset));
  }
}

std::vector<Dataset> Section::datasets_of(const std::vector<Pool>& pools) {
  std::vector<Dataset> datasets;
  for (const auto& pool : pools) add_datasets(pool.imported.name, datasets);
  if (datasets.size() > datasets_max) {
    gaps_.problem("datasets", fmt::format("there are {}, only the first {} are reported",
                                          datasets.size(), datasets_max));
    datasets.resize(datasets_max);
  }
  return datasets;
}

std::vector<PoolStatus> Section::read_importable_pools() {
  auto pools = read_importable(host_);
  if (pools) return std::move(*pools);
  gaps_.problem("pools that could be imported", pools.error());
  return {};
}

void Section::write_layouts(const std::vector<Pool>& pools,
                            const std::vector<PoolStatus>& importable) {
  if (pools.empty() && importable.empty()) return;
  if (auto devices = BlockDevices::read(host_)) {
    devices_ = std::move(*devices);
  } else {
    gaps_.problem("serials of the vdevs", devices.error());
  }
  std::vector<PlacedVdev> vdevs;
  const auto add = [&](const PoolStatus& pool) {
    auto placed = place(host_, pool, devices_, vdevs.size(), gaps_);
    std::ranges::move(placed, std::back_inserter(vdevs));
  };
  for (const auto& pool : pools) add(pool.status);
  write_vdevs(vdevs, facts_.initVdevs(static_cast<unsigned>(vdevs.size())));
  vdevs.clear();
  for (const auto& pool : importable) add(pool);
  write_vdevs(vdevs, facts_.initImportableVdevs(static_cast<unsigned>(vdevs.size())));
}

}  // namespace

Result<Message<Facts>> AuditZfs::observe(Params::Reader, Host& host) {
  Draft<Facts> facts;
  Gaps gaps;
  const auto version = host.run({.argv = {"zpool", "version"}});
  if (!version && version.error().fault != Fault::missing) return fail(version.error());
  if (version && version->truncated)
    return fail(Fault::damaged, "zpool version printed more than is ever read of it");
  const auto container = container_kind(host);
  if (!container.empty() && !host.status("/dev/zfs")) {
    gaps.all_absent(
        fmt::format("this {} container has no /dev/zfs: its pools are its host's", container));
  } else if (!version) {
    note_absence(host, version.error(), gaps);
  } else {
    RELAB_CHECK(check_module(host));
    const auto versions = parse_versions(version->out);
    facts->setToolVersion(versions.tool);
    facts->setModuleVersion(versions.module);
    RELAB_CHECK(Section(host, gaps, *facts).read(versions));
  }
  gaps.store(facts->initCoverage());
  return std::move(facts).finish();
}

}  // namespace relab::agent::zfs
