#pragma once

/// Where something is to be written: a folder on which a file system is mounted, and the disk
/// below.

#include <string>

#include "agent/host/host.h"

namespace relab::agent {

struct Target {
  bool mounted = false;
  std::string device = {};
  std::string file_system = {};
  std::string serial = {};
  FileSystem room = {};
};
/// Of the folder itself: what is mounted somewhere above it is another disk.
Result<Target> read_target(Host& host, const Path& folder);

/// Into the facts of a kind that writes there.
template <typename Facts>
void write_target(const Target& target, Facts facts) {
  facts.setMounted(target.mounted);
  facts.setDevice(target.device);
  facts.setDiskSerial(target.serial);
  facts.setFileSystem(target.file_system);
  facts.setFree(target.room.free);
}

}  // namespace relab::agent
