#pragma once

/// What several kinds ask ZFS: which version it is, and which datasets and snapshots there are,
/// known by their GUIDs.

#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/zfs/tables.h"

namespace relab::agent::zfs {

/// Nothing that `zfs` could take for an option, a snapshot, or several names.
bool is_dataset(std::string_view name);

/// The pool that a dataset or snapshot is in.
std::string pool_of(std::string_view name);

/// Fault::unsupported if the kernel module is not loaded: most commands would load it.
Result<Versions> read_versions(Host& host);

Result<std::uint64_t> guid_of_pool(Host& host, const std::string& pool);

/// A dataset or a snapshot.
struct Node {
  /// With the name of the snapshot, if it is one.
  std::string name;
  std::uint64_t guid = 0;
  /// The pool's own count when it was made.
  std::uint64_t create_txg = 0;
  /// Seconds since 1970.
  std::uint64_t created = 0;
  bool encrypted = false;
  /// A drill made it, or it lies below what a drill made: it is nobody's data.
  bool scratch = false;

  bool is_snapshot() const { return name.find('@') != std::string::npos; }
  /// Without the name of the snapshot.
  std::string dataset() const { return name.substr(0, name.find('@')); }
  /// Empty: it is none.
  std::string snapshot() const { return is_snapshot() ? name.substr(name.find('@') + 1) : ""; }

  bool operator==(const Node&) const = default;
};

/// A dataset and everything below it, with all snapshots, in the order in which ZFS tells them.
/// Fault::missing if there is no such dataset.
Result<std::vector<Node>> read_tree(Host& host, const std::string& dataset);

/// The user property, set to "yes", by which everything is known that a drill made.
inline constexpr auto drill_mark = "relab:drill";

/// Of `zfs list -Hp -o name,guid,createtxg,creation,encryption,relab:drill`.
Result<std::vector<Node>> parse_tree(std::string_view text);

}  // namespace relab::agent::zfs
