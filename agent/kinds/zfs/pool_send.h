#pragma once

/// Sends a dataset into its copy, snapshot by snapshot.
///
/// One raw stream a snapshot: each is judged and can be resumed by itself, and none of them is a
/// package of many, of which 2.1 tells no failure. What was received has the GUID of what was sent
/// only once the whole stream was, with its last checksum; the second look at the copy is the
/// proof.
///
/// Each dataset that is encrypted becomes an encryption root of its own in the copy, with the key
/// that its root has in the original: a raw stream of one dataset carries that key, and only a
/// package tells which of them share one. To restore, `zfs load-key -r` takes the same key for
/// each, and `zfs change-key -i` makes a dataset share its parent's again.
///
/// Properties travel along and become the copy's received ones, but nothing of it is mounted or
/// shows up by itself: file systems have canmount=noauto and inherit their mount point from the
/// pool that they are in, volumes have volmode=none, all are read-only. These are local properties:
/// `zfs inherit -S` gives back what was received. Where a receive was interrupted, properties that
/// were changed since the snapshot before, and a quota that came with the first, may be missing.

#include "agent/kinds/zfs/pool_copy.h"
#include "agent/kinds/zfs/send_stream.h"

namespace relab::agent::zfs {

/// How much is still to be sent of a dataset, by ZFS's own estimate.
Result<std::uint64_t> estimate_rest(Host& host, const Lineage& lineage);

/// Everything that is missing of one dataset of the original, whose parent's copy is there. What an
/// error leaves behind is a shorter copy, or a receive that can go on.
Result<void> send_rest(Host& host, const PoolCopyWish& wish, const Lineage& lineage);

/// What one stream of a snapshot has to be.
struct SentSnapshot {
  const Node& snapshot;
  /// On which it builds; 0: on none.
  std::uint64_t from_guid = 0;
  bool resumed = false;
};

/// Whether a stream is that. Fault::damaged if not.
Result<void> check_sent(const SendStream& stream, const SentSnapshot& sent);

}  // namespace relab::agent::zfs
