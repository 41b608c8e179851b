#pragma once

/// What there is to copy, where it is to go, and what is there already.

#include "agent/kinds/support/signed_manifest.h"
#include "agent/kinds/support/target.h"
#include "agent/kinds/zfs/ask.h"
#include "agent/kinds/zfs/manifest.h"

namespace relab::agent::zfs {

struct BackupWish {
  std::string dataset;
  std::string snapshot;
  Path folder;
  std::string name;

  std::string full_name() const { return dataset + "@" + snapshot; }
  Path stream() const { return folder / (name + ".zfs"); }
  /// While it is written.
  Path stream_part() const { return folder / (name + ".zfs.part"); }
  Beside beside() const { return {.folder = folder, .name = name}; }
};

/// Everything that `zfs send -R` has to send, by name and GUID.
struct Origin {
  Versions versions;
  std::uint64_t pool_guid = 0;
  std::vector<Node> snapshots;
  /// What a drill left below the dataset, which `zfs send -R` would send along; empty: nothing.
  std::string scratch = {};
};

/// Fault::missing if the dataset has no such snapshot; ::conflict if one below it has none: `zfs
/// send -R` passes over it, and says nothing; or if something is marked as a drill's that is none.
Result<Origin> read_origin(Host& host, const BackupWish& wish);

/// Fault::conflict if a drill left something below the dataset.
Result<void> check_no_scratch(const Origin& origin);

/// By ZFS's own estimate; it is off by a percent or two.
Result<std::uint64_t> estimate(Host& host, const BackupWish& wish);
/// Of `zfs send -nvP`. Fault::damaged without a size.
Result<std::uint64_t> parse_estimate(std::string_view text);

/// What has the copy's name.
struct Existing {
  schema::ZfsBackup::State state = schema::ZfsBackup::State::NONE;
  std::uint64_t bytes = 0;
  std::string digest = {};
  std::string manifest_digest = {};
  /// The key whose signature stands beside the manifest, hexadecimal; empty: none does.
  std::string signed_by = {};
  bool has_head = false;
  std::uint64_t written_at = 0;
  std::vector<std::string> leftovers = {};
  /// Why it is not the copy that was asked for.
  std::string conflict = {};
};
Result<Existing> read_existing(Host& host, const BackupWish& wish, const Origin& origin);

}  // namespace relab::agent::zfs
