#include <fmt/format.h>

#include "agent/kinds/zfs/write.h"

namespace relab::agent::zfs {

namespace {

/// ZFS itself says that it does not have the device: that it is nowhere is no gap.
bool is_away(const Vdev& vdev) {
  return vdev.state == "UNAVAIL" || vdev.state == "REMOVED" || vdev.state == "OFFLINE" ||
         vdev.state == "FAULTED";
}

}  // namespace

std::vector<PlacedVdev> place(Host& host, const PoolStatus& pool,
                              const std::optional<BlockDevices>& devices, std::size_t first,
                              Gaps& gaps) {
  std::vector<PlacedVdev> placed;
  placed.reserve(pool.vdevs.size());
  for (const auto& vdev : pool.vdevs) {
    Leaf leaf;
    if (vdev.kind == "disk" && devices) leaf = find_leaf(host, *devices, vdev);
    if (leaf.lost && !is_away(vdev))
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
