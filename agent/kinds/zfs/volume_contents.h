#pragma once

/// What is on a volume, without a device of it: a snapshot of one has none unless its pool is told
/// to show it.

#include <string>

#include "agent/host/host.h"
#include "common/crypto/chunks.h"

namespace relab::agent::zfs {

struct VolumeContents {
  /// Over every block, with its place. It is the same for a volume and for what was received of it:
  /// names, times, compression and keys do not count.
  crypto::Digest digest = {};
  std::uint64_t bytes = 0;

  bool operator==(const VolumeContents&) const = default;
};

/// Of a snapshot of a volume whose key is loaded; all of it is read and decrypted. Fault::damaged
/// if ZFS cannot read some of it, whatever it exits with.
Result<VolumeContents> read_volume(Host& host, const std::string& snapshot);

}  // namespace relab::agent::zfs
