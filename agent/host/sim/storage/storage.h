#pragma once

/// The disks and pools of a simulated machine, and what a rehearsal lets happen to them.

#include "agent/host/sim/storage/disks.h"
#include "agent/host/sim/storage/mounting.h"
#include "agent/host/sim/storage/pools.h"

namespace relab::agent::sim {

class Storage final : public Part {
 public:
  /// The world's message must live as long as this.
  Storage(SimHost& host, World world)
      : disks_(host, world), pools_(host, world, disks_), mounting_(host, disks_, pools_) {}

  const Disks& disks() const { return disks_; }
  const Pools& pools() const { return pools_; }

  /// A person attaches the disk with this serial number, or takes it away. Fault::missing if the
  /// world knows none.
  Result<void> plug(const std::string& serial);
  Result<void> pull(const std::string& serial);
  /// Nothing can be read from it or written to it any more; or from then on, or once so many bytes
  /// more were written to a file system on it.
  Result<void> fail_disk(const std::string& serial);
  Result<void> fail_disk_at(const std::string& serial, Instant when);
  Result<void> fail_disk_after(const std::string& serial, std::uint64_t bytes);
  /// So many bytes are left on its file systems, also on one that is yet to be made.
  Result<void> fill(const std::string& serial, std::uint64_t free);

 private:
  Disks disks_;
  Pools pools_;
  Mounting mounting_;
};

}  // namespace relab::agent::sim
