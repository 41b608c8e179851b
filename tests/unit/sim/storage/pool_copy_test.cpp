// The other way of copying: into a pool on the USB disk.

#include <algorithm>
#include <chrono>

#include "agent/kinds/zfs/pool_backup.h"
#include "agent/kinds/zfs/pool_verify.h"
#include "agent/kinds/zfs/snapshot.h"
#include "agent/kinds/zfs/usb_pool.h"
#include "tests/unit/sim/storage/kinds.h"

namespace relab::agent::sim {

namespace {

constexpr const char* usb_pool = R"({"serial": "NAAB0001", "pool": "usbpool"})";
constexpr const char* snapshot = R"({"dataset": "datapool", "name": "pre-rebuild"})";
constexpr const char* copy =
    R"({"dataset": "datapool", "snapshot": "pre-rebuild", "target": "usbpool/datapool"})";

Result<Message<zfs::ZfsPoolBackupVerify::Facts>> verify(SimHost& host) {
  const auto params = must(Message<schema::ZfsPoolBackupVerify>::from_json(
      R"({"dataset": "datapool", "snapshot": "pre-rebuild", "target": "usbpool/datapool",
          "key": "datapool-key"})"));
  RELAB_TRY(const auto facts, zfs::ZfsPoolBackupVerify::observe(params.reader(), host));
  RELAB_CHECK(zfs::ZfsPoolBackupVerify::intends(params.reader(), facts.reader()));
  return zfs::ZfsPoolBackupVerify::attempt(params.reader(), facts.reader(),
                                           {.host = host, .rescue = host});
}

}  // namespace

TEST_CASE("sim storage: a pool is copied into one on the USB disk, and that is verified",
          "[agent][sim][storage]") {
  const auto* version = GENERATE("2.3.9-0+deb13u1", "2.1.11-1");
  Z640Machine machine(version, Usb::pool);
  must(machine.storage.plug("NAAB0001"));
  must(carry_out<zfs::UsbPool>(machine.host, usb_pool));
  must(carry_out<zfs::ZfsSnapshot>(machine.host, snapshot));
  const auto began = machine.host.now();

  const auto written = must(carry_out<zfs::ZfsPoolBackup>(machine.host, copy));

  CHECK(written.reader().getState() == schema::ZfsBackup::State::COMPLETE);
  CHECK(machine.host.now() - began > std::chrono::hours(3));
  CHECK(machine.host.now() - began < std::chrono::hours(24));
  const auto verified = must(verify(machine.host));
  CHECK(verified.reader().getReadBack());
  CHECK(verified.reader().getDrill().getDone());
  CHECK(machine.host.unknown() == std::set<std::string>());
}

TEST_CASE("sim storage: nothing is copied into a pool whose disk was pulled out",
          "[agent][sim][storage]") {
  Z640Machine machine("2.3.9-0+deb13u1", Usb::pool);
  must(machine.storage.plug("NAAB0001"));
  must(carry_out<zfs::UsbPool>(machine.host, usb_pool));
  must(carry_out<zfs::ZfsSnapshot>(machine.host, snapshot));
  must(machine.storage.pull("NAAB0001"));

  CHECK_FALSE(carry_out<zfs::ZfsPoolBackup>(machine.host, copy));
}

}  // namespace relab::agent::sim
