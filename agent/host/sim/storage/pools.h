#pragma once

/// The ZFS pools of a simulated machine, as zpool and zfs tell of them and change them.
///
/// Streams are well-formed and short: every byte of one stands for so many of the dataset that the
/// whole takes as long, and as much room, as the real one would. What a dataset holds is known by
/// the GUIDs of its snapshots, wherever they are received.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/host/sim/storage/command_line.h"
#include "agent/host/sim/storage/disks.h"
#include "agent/host/sim/storage/pool_state.h"
#include "agent/kinds/zfs/send_stream.h"

namespace relab::agent::sim {

class Pools final : public Part {
 public:
  /// Borrows all of them. After the disks: pools lie on them.
  Pools(SimHost& host, World world, Disks& disks);

  /// What became of the disks is seen by the pools.
  void notice_disks();
  /// Of the imported ones; null if there is none.
  const Pool* pool(const std::string& name) const;
  const Dataset* dataset(const std::string& name) const;
  /// Also those that are not imported.
  const std::vector<Pool>& all() const { return pools_; }
  /// Whether an imported pool lies on a device, by the kernel's name.
  bool uses(const std::string& device) const;

  /// A file system or a snapshot.
  Output mount(const SimMount& wanted);
  /// What is mounted there is a dataset's.
  Result<void> unmount(const SimMount& mounted);

 private:
  using Argv = std::vector<std::string>;
  /// What a snapshot is known to hold, wherever it is received.
  struct Sent {
    std::string name;
    bool is_volume = false;
    bool encrypted = false;
    /// Empty: the dataset is its own encryption root.
    std::string encryption_root = {};
    std::map<std::string, std::string, std::less<>> properties = {};
    Snapshot snapshot = {};
  };
  struct Listed {
    const Dataset* dataset;
    /// Null: it is the dataset itself.
    const Snapshot* snapshot;
  };
  struct Sending;
  /// What comes in one stream, and how it is to be received.
  struct Receiving {
    const CommandLine& line;
    std::set<std::string> datasets;
  };

  void install(World world);
  void add_pools_of_disks();
  void size_up(Pool& pool);
  void link_leaves();
  void mount_datasets(World world);
  Pool* find_pool(const std::string& name);
  Dataset* find(const std::string& name);
  std::vector<SimMount> mounts_of(const std::string& name) const;
  /// What was written into the file systems since is theirs, and their pools'.
  void settle();
  void tell_rooms();
  void charge(Dataset& dataset, std::int64_t bytes);
  /// Bytes in a second, of all the disks of a pool together.
  SimSpeed speed_of(const Pool& pool) const;
  void judge(Pool& pool);
  void judge_groups(Pool& pool);
  void remember(const Dataset& dataset, const Snapshot& snapshot);
  void take_snapshot(Pool& pool, Dataset& dataset, const std::string& name);
  Tree look_into(const Dataset& dataset);
  void put_into(const Path& point, const Tree& tree);

  // zpool
  /// ZFS tells times in words, and the machine's own date knows what they mean.
  Result<Output> date(const Command& command);
  Result<Output> zpool(const Command& command);
  Result<Output> zpool_list(const Command& command);
  Result<Output> zpool_status(const Command& command);
  Result<Output> zpool_get(const Command& command);
  Result<Output> zpool_import(const Command& command);
  Result<Output> zpool_export(const Command& command);
  Result<Output> zpool_scrub(const Command& command);
  Result<Output> zpool_wait(const Command& command);
  static std::optional<std::string> pool_value(const Pool& pool, std::string_view property);
  Output start_scrub(Pool& pool);
  void look_at_scrub(Pool& pool);
  Output import_one(Pool& pool, const CommandLine& line);
  bool on_devices(const Pool& pool, const std::vector<std::string>& devices) const;
  bool on_read_only_disks(const Pool& pool) const;
  Millis scrub_takes(const Pool& pool) const;
  bool has_json() const;

  // zfs
  Result<Output> zfs(const Command& command);
  Result<Output> zfs_list(const Command& command);
  Result<Output> zfs_get(const Command& command);
  Result<Output> zfs_holds(const Command& command);
  Result<Output> zfs_hold(const Command& command);
  Result<Output> zfs_snapshot(const Command& command);
  Result<Output> zfs_create(const Command& command);
  Result<Output> zfs_set(const Command& command);
  Result<Output> zfs_destroy(const Command& command);
  Result<Output> zfs_mount(const Command& command);
  Result<Output> zfs_unmount(const Command& command);
  Result<Output> zfs_load_key(const Command& command);
  Result<Output> zfs_unload_key(const Command& command);
  Result<Output> zfs_send(const Command& command);
  Result<Output> zfs_receive(const Command& command);

  /// Nothing: the property is not known here.
  std::optional<std::string> value_of(const Dataset& dataset, const Snapshot* snapshot,
                                      std::string_view property) const;
  /// Of a property with a colon, with where it comes from.
  std::pair<std::string, std::string> user_value(const Dataset& dataset,
                                                 std::string_view property) const;
  /// Of a command that receives.
  SimHost::Drain drain_of(const Command& command) const;
  /// In the order in which zfs lists them.
  std::vector<Listed> listed(const std::string& above, const std::string& types,
                             bool recursively) const;
  bool exists(const std::string& name) const;
  std::string source_of(const Dataset& dataset, std::string_view property) const;
  bool key_is_loaded(const Dataset& dataset) const;
  Output mount_in_place(const Dataset& dataset);
  Output destroy(const std::string& name);
  /// Why a snapshot with a hold is not destroyed.
  std::string held(const std::string& snapshot) const;
  Output destroy_all(const std::string& name);
  /// An error in words, as zfs says it.
  tl::expected<Sending, Output> what_to_send(const CommandLine& line) const;
  tl::expected<Sending, Output> what_to_resume(const std::string& token) const;
  void add_parts(const Dataset& dataset, const CommandLine& line, Sending& sending) const;
  static Output estimate(const Sending& sending, const CommandLine& line);
  static std::string stream_of(const Sending& sending);
  Output send(const Sending& sending);
  /// One snapshot of a stream into one dataset; nothing is said where all is well.
  Output receive_part(const std::string& name, const Receiving& receiving,
                      const zfs::Substream& part);
  std::string refusal_of(const std::string& target, const zfs::Substream& part) const;
  static std::string root_of_received(const std::string& name, const Receiving& receiving,
                                      const Sent& sent);
  Dataset& make_received(const std::string& name, const Receiving& receiving,
                         const zfs::Substream& part);
  void set_received(Dataset& dataset, const CommandLine& line);
  void interrupt(const std::string& name, const Receiving& receiving, const zfs::Substream& part);

  SimHost& host_;
  Disks& disks_;
  std::string tool_version_;
  std::string module_version_;
  std::vector<Pool> pools_;
  std::map<std::uint64_t, Sent> sent_;
  /// By the place of each mounted file system, the room that was last told of it.
  std::map<std::string, FileSystem> told_;
  /// What times in words of the audit were, in seconds since 1970.
  std::map<std::string, std::uint64_t> known_times_;
};

}  // namespace relab::agent::sim
