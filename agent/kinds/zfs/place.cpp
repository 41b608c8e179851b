#include <fmt/format.h>

#include "agent/kinds/zfs/write.h"

namespace relab::agent::zfs {

std::vector<PlacedVdev> place(Host& host, const PoolStatus& pool,
                              const std::optional<BlockDevices>& devices, std::size_t first,
                              Gaps& gaps) {
  std::vector<PlacedVdev> placed;
  placed.reserve(pool.vdevs.size());
  for (const auto& vdev : pool.vdevs) {
    Leaf leaf;
    if (vdev.kind == "disk" && devices) leaf = find_leaf(host, *devices, vdev);
    if (leaf.lost)
      gaps.problem(fmt::format("serial of {} in pool {}", vdev.name, pool.name), leaf.note);
    placed.push_back(
        {.pool = pool.name,
         .vdev = vdev,
         .leaf = std::move(leaf),
         .parent = vdev.parent ? static_cast<std::int32_t>(first + *vdev.parent) : -1});
  }
  return placed;
}

}  // namespace relab::agent::zfs
