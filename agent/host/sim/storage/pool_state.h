#pragma once

/// ZFS pools of a simulated machine, as they are now.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/host/sim/part.h"
#include "agent/kinds/zfs/status.h"

namespace relab::agent::sim {

/// A file, folder or link as it was when a snapshot was taken.
struct Kept {
  /// Below the place where its file system is mounted.
  Path path;
  FileStatus status;
  /// Of a link: what it leads to.
  std::string content = {};
};
using Tree = std::vector<Kept>;

struct Snapshot {
  /// Behind the @.
  std::string name;
  std::uint64_t guid = 0;
  std::uint64_t txg = 0;
  /// Seconds since 1970.
  std::uint64_t created = 0;
  /// That differ from the one before it, or all if there is none.
  std::uint64_t bytes = 0;
  /// That it shows.
  std::uint64_t referenced = 0;
  /// By the tag, when it was set.
  std::map<std::string, std::uint64_t> holds = {};
  Tree tree = {};
};

struct Dataset {
  std::string name;
  bool is_volume = false;
  std::uint64_t guid = 0;
  std::uint64_t txg = 0;
  std::uint64_t created = 0;
  std::uint64_t used = 0;
  std::uint64_t referenced = 0;
  std::uint64_t used_by_snapshots = 0;
  std::uint64_t available = 0;
  /// Empty: not encrypted.
  std::string encryption_root = {};
  /// Of an encryption root.
  bool key_loaded = false;
  /// What is said of it, as `zfs list -Hp` prints it; "-" is none.
  std::map<std::string, std::string, std::less<>> properties = {};
  /// Those that were set on it itself.
  std::map<std::string, std::string, std::less<>> user_properties = {};
  /// Oldest first.
  std::vector<Snapshot> snapshots = {};
  /// What it held when it was received.
  Tree tree = {};

  bool encrypted() const { return !encryption_root.empty(); }
};

struct Leaf {
  /// The position of its vdev.
  std::size_t vdev = 0;
  /// The kernel's name of its device.
  std::string device;
};

struct Pool {
  std::string name;
  std::uint64_t guid = 0;
  bool imported = true;
  std::string health = {};
  std::string state = {};
  std::string status = {};
  std::string action = {};
  std::string message = {};
  std::string notices = {};
  /// Nothing: ZFS does not tell.
  std::optional<std::uint64_t> data_errors = {};
  std::vector<std::string> damaged = {};
  /// What `zpool get all` tells, but for the sizes and the health.
  std::vector<std::pair<std::string, std::string>> properties = {};
  std::uint64_t size = 0;
  std::uint64_t allocated = 0;
  std::vector<zfs::Scan> scans = {};
  /// When the scrub that goes on ends.
  std::optional<Instant> scrub_ends = {};
  Instant scrub_began = {};
  std::vector<zfs::Vdev> vdevs = {};
  std::vector<Leaf> leaves = {};
  std::uint64_t txg = 0;
  /// By their names, which is the order in which ZFS tells them.
  std::map<std::string, Dataset> datasets = {};

  bool is_lost() const { return state == "SUSPENDED" || state == "UNAVAIL"; }
  /// Imported so.
  bool is_read_only() const;
};

/// What an audit found: the imported ones, then those that could be imported.
std::vector<Pool> pools_of(World world);

/// One that is not imported, and that nobody has looked into: it is taken for an empty one.
Pool made_pool(const std::string& name, std::uint64_t guid);

/// Always the same for one name, and another one for every other.
std::uint64_t made_guid(const std::string& name);

/// The name of the pool that a dataset or snapshot is in, and of the dataset of a snapshot.
std::string pool_of(const std::string& name);
std::string dataset_of(const std::string& name);
/// Empty: it is no snapshot's name.
std::string snapshot_of(const std::string& name);
/// Whether it is the dataset itself, or lies below it.
bool is_within(const std::string& dataset, const std::string& above);

}  // namespace relab::agent::sim
