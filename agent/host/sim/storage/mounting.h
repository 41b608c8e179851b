#pragma once

/// What mount and umount do, on disks and on pools.

#include "agent/host/sim/storage/pools.h"

namespace relab::agent::sim {

/// As the table of mounts has them: "ro" or "rw" first, without what is only for programs.
std::string kernel_options(std::string_view asked, bool read_only);

class Mounting final : public Part {
 public:
  Mounting(SimHost& host, Disks& disks, Pools& pools);

 private:
  Result<Output> mount(const Command& command);
  Result<Output> unmount(const Command& command);

  SimHost& host_;
  Disks& disks_;
  Pools& pools_;
};

}  // namespace relab::agent::sim
