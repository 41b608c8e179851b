#include "agent/host/sim/storage/storage.h"

#include <fmt/format.h>

namespace relab::agent::sim {

Result<void> Storage::plug(const std::string& serial) {
  RELAB_CHECK(disks_.plug(serial));
  pools_.notice_disks();
  return {};
}

Result<void> Storage::pull(const std::string& serial) {
  RELAB_CHECK(disks_.pull(serial));
  pools_.notice_disks();
  return {};
}

Result<void> Storage::fail_disk(const std::string& serial) {
  RELAB_CHECK(disks_.fail(serial));
  pools_.notice_disks();
  return {};
}

Result<void> Storage::fail_disk_at(const std::string& serial, Instant when) {
  if (disks_.by_serial(serial) == nullptr)
    return fail(Fault::missing, fmt::format("there is no disk with the serial {}", serial));
  disks_.fail_at(serial, when);
  return {};
}

Result<void> Storage::fail_disk_after(const std::string& serial, std::uint64_t bytes) {
  return disks_.break_after(serial, bytes);
}

Result<void> Storage::fill(const std::string& serial, std::uint64_t free) {
  return disks_.fill(serial, free);
}

}  // namespace relab::agent::sim
