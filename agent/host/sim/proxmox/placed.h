#pragma once

/// Files and folders that a simulated guest has, or the machine itself.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "agent/host/sim/sim_host.h"

namespace relab::agent::sim {

/// A link's content is its target.
struct Placed {
  /// 0: the machine itself.
  std::uint32_t vmid = 0;
  std::string path;
  std::string content = {};
  FileStatus status = {.type = FileType::regular, .mode = 0644};
  /// Nothing where the guest has something of that name by itself.
  bool unless_there = false;
};

inline Placed placed_folder(std::uint32_t vmid, std::string path) {
  return {
      .vmid = vmid, .path = std::move(path), .status = {.type = FileType::directory, .mode = 0755}};
}

inline void put(SimHost& host, const Path& path, const Placed& placed) {
  if (placed.unless_there && host.status(path)) return;
  if (placed.status.type == FileType::directory)
    host.directory(path);
  else if (placed.status.type == FileType::symlink)
    host.link(path, placed.content);
  else
    host.file(path, placed.content, placed.status);
}

}  // namespace relab::agent::sim
