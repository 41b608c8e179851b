#pragma once

/// The questions that the audit puts to ZFS, each answered whole or with an error.

#include <optional>
#include <string>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/support/block.h"
#include "agent/kinds/zfs/status.h"
#include "agent/kinds/zfs/tables.h"

namespace relab::agent::zfs {

/// One line of `zpool list`: what is imported, before anything else is asked.
struct Imported {
  std::string name;
  std::uint64_t guid = 0;
  std::string health;
};
Result<std::vector<Imported>> read_pools(Host& host);

struct Statuses {
  std::vector<PoolStatus> pools;
  /// Why vdevs of these pools have no GUID; nothing if all have one.
  std::optional<Error> no_guids = {};
};

/// Takes JSON where this ZFS has it and it is whole, otherwise what is printed for people, where
/// GUIDs come by a second look. Times are resolved.
Result<Statuses> read_status(Host& host, const Versions& versions);

/// The pools that could be imported; imports nothing.
Result<std::vector<PoolStatus>> read_importable(Host& host);

/// Filesystems and volumes of one pool, the pool's own first.
Result<std::vector<Properties>> read_datasets(Host& host, const std::string& pool);
Result<std::map<std::string, Snapshots, std::less<>>> read_snapshots(Host& host,
                                                                     const std::string& pool);

/// What is behind a leaf now.
struct Leaf {
  /// Empty: no such device now.
  std::string device = {};
  std::string serial = {};
  /// Why there is no serial.
  std::string note = {};
  /// The device must be there and is not, or is unknown to lsblk.
  bool lost = false;
};
Leaf find_leaf(Host& host, const BlockDevices& devices, const Vdev& vdev);

}  // namespace relab::agent::zfs
