#include "agent/kinds/support/target.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/block.h"
#include "agent/kinds/support/mounts.h"

namespace relab::agent {

namespace {

Result<std::string> serials_below(Host& host, const std::string& device) {
  RELAB_TRY(const auto name, device_of(host, device));
  RELAB_TRY(const auto devices, BlockDevices::read(host));
  std::vector<std::string> serials;
  for (const auto* disk : devices.disks_of(name)) serials.push_back(disk->serial);
  std::ranges::sort(serials);
  return fmt::format("{}", fmt::join(serials, ","));
}

}  // namespace

Result<Target> read_target(Host& host, const Path& folder) {
  Target target;
  RELAB_TRY(const auto mounts, read_mounts(host));
  for (const auto& mount : mounts)
    if (mount.point == folder)
      target = {.mounted = true, .device = mount.source, .file_system = mount.type};
  if (!target.mounted) return target;
  if (target.device.starts_with("/dev/")) {
    RELAB_TRY(target.serial, serials_below(host, target.device));
  }
  RELAB_TRY(target.room, host.file_system(folder));
  return target;
}

}  // namespace relab::agent
