#pragma once

/// A copy of a dataset, and of all below it, in another pool: what it has, and what it is known by.
/// docs/formats/backup.md.

#include <map>
#include <string>
#include <vector>

#include "agent/kinds/zfs/backup_view.h"
#include "schema/zfs.capnp.h"

namespace relab::agent::zfs {

struct PoolCopyWish {
  std::string dataset;
  std::string snapshot;
  /// The dataset that is the copy, or becomes it.
  std::string target;

  BackupWish origin() const {
    return {.dataset = dataset, .snapshot = snapshot, .folder = {}, .name = {}};
  }
  std::string full_name() const { return dataset + "@" + snapshot; }
  /// What a dataset or snapshot of the original is called in the copy.
  std::string copy_of(const std::string& name) const {
    return target + name.substr(dataset.size());
  }
  std::string original_of(const std::string& name) const {
    return dataset + name.substr(target.size());
  }
};

/// The pool that has the copy, or takes it.
struct TargetPool {
  std::string name;
  /// 0: it is not imported.
  std::uint64_t guid = 0;
  /// As `zpool list` has it.
  std::string health = {};
  bool read_only = false;
  /// Bytes.
  std::uint64_t size = 0;
  /// Of every disk of it, joined by commas; what tells none leaves its place empty.
  std::string serials = {};
  /// Of every device of it, as its configuration has them.
  std::vector<std::string> paths = {};
  /// How it was imported; empty: as usual.
  std::string altroot = {};
  std::string cachefile = {};
  /// What speaks against it.
  std::vector<std::string> concerns = {};
};
Result<TargetPool> read_target_pool(Host& host, const std::string& name);

/// The snapshots of one dataset of the original that the copy is to have, oldest first.
struct Lineage {
  std::vector<Node> wanted;
  /// So many of them, the oldest ones, are in the copy.
  std::size_t there = 0;
  /// With which the next one, whose receive was interrupted, goes on; empty: it begins anew.
  std::string token = {};

  bool complete() const { return there == wanted.size(); }
};

struct PoolCopy {
  schema::ZfsBackup::State state = schema::ZfsBackup::State::NONE;
  /// By the dataset of the original.
  std::map<std::string, Lineage> lineages = {};
  /// Why it is not the copy that was asked for.
  std::string conflict = {};
  /// What a complete one is known by.
  std::string digest = {};

  /// By the names of the original.
  std::vector<Node> received() const;
  /// The datasets of the copy in which a receive was interrupted that can go on.
  std::vector<std::string> interrupted(const PoolCopyWish& wish) const;
};

/// What has the copy's name. It is complete if it has every snapshot of the original by its GUID,
/// encrypted if that is; also if it has older ones that the original has not any more. Anything
/// that no receive of ours has made there is a conflict.
Result<PoolCopy> read_pool_copy(Host& host, const PoolCopyWish& wish, const Origin& origin,
                                const TargetPool& pool);

/// BLAKE2b-256, hexadecimal, of a text: the pool's GUID in a line, then, sorted by bytes, a line
/// for each snapshot with its name from the copy's own dataset on ("@daily", "media/films@daily"),
/// a space and its GUID.
std::string copy_digest(std::uint64_t pool_guid, const std::string& dataset,
                        const std::vector<Node>& snapshots);

/// The GUID of the snapshot that an interrupted receive was of; 0 where that cannot be told. Of
/// what `zfs send -nvP -t` prints.
std::uint64_t guid_in_token(std::string_view text);

}  // namespace relab::agent::zfs
