#pragma once

/// From what ZFS told to the facts of the report.

#include <string>
#include <string_view>
#include <vector>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/zfs/readers.h"
#include "schema/zfs.capnp.h"

namespace relab::agent::zfs {

using Facts = schema::AuditZfs::Facts;

/// All that is known of one imported pool.
struct Pool {
  Imported imported;
  Properties properties = {};
  /// Empty name: zpool status did not know it.
  PoolStatus status = {};
};

/// A vdev with what is behind it.
struct PlacedVdev {
  std::string pool;
  Vdev vdev;
  Leaf leaf = {};
  /// In the list of all pools.
  std::int32_t parent = -1;
};

/// The layout of a pool, with the disk behind each leaf; `first` vdevs are in the list before it.
/// Without `devices` no leaf is looked for.
std::vector<PlacedVdev> place(Host& host, const PoolStatus& pool,
                              const std::optional<BlockDevices>& devices, std::size_t first,
                              Gaps& gaps);

/// A dataset with its snapshots.
struct Dataset {
  Properties properties;
  Snapshots snapshots = {};
};

void write_pools(const std::vector<Pool>& pools, Facts::Builder facts, Gaps& gaps);
void write_scans(const std::vector<Pool>& pools, Facts::Builder facts, Gaps& gaps);
void write_damaged(const std::vector<Pool>& pools, Facts::Builder facts);
void write_features(const std::vector<Pool>& pools, Facts::Builder facts);
void write_vdevs(const std::vector<PlacedVdev>& vdevs,
                 capnp::List<schema::AuditZfs::Vdev>::Builder list);
void write_datasets(const std::vector<Dataset>& datasets, Facts::Builder facts, Gaps& gaps);
void write_importable(const std::vector<PoolStatus>& pools, Facts::Builder facts);

}  // namespace relab::agent::zfs
