#include "agent/kinds/zfs/usb_pool.h"

#include "tests/support/must.h"
#include "tests/support/sim_pools.h"

namespace relab::agent::zfs {

namespace {

/// With the pool of the disk exported.
struct Machine {
  Machine() {
    pool.install(host);
    second.install(host);
    second.imported = false;
  }

  Message<schema::UsbPool> wish(const std::string& more = "") const {
    return must(Message<schema::UsbPool>::from_json(R"({"serial": "USB1", "pool": "usbpool")" +
                                                    more + "}"));
  }
  Message<UsbPool::Facts> look() { return must(UsbPool::observe(wish().reader(), host)); }
  Result<std::vector<Change>> plan(const std::string& more = "") {
    RELAB_TRY(const auto facts, UsbPool::observe(wish().reader(), host));
    return UsbPool::plan(wish(more).reader(), facts.reader());
  }

  SimHost host;
  SimZfs pool;
  SimPools second = SimPools(pool);
};

}  // namespace

TEST_CASE("usb pool: is imported from the disk, and nothing of it mounted", "[agent][zfs]") {
  Machine machine;
  const auto changes = must(machine.plan());
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].what == "+ the pool 'usbpool' of the disk USB1 imported");

  must(UsbPool::apply(changes[0], machine.host));

  CHECK(must(machine.plan()).empty());
  CHECK(std::ranges::count(machine.host.ran(),
                           "zpool import -N -o cachefile=none -d /dev/sdf1 usbpool") == 1);
  const auto facts = machine.look();
  CHECK(facts.reader().getPoolGuid() == 8001);
  CHECK(view(facts.reader().getSerials()) == "USB1");
  // Once more it does nothing.
  must(UsbPool::apply(changes[0], machine.host));
  CHECK(std::ranges::count(machine.host.ran(),
                           "zpool import -N -o cachefile=none -d /dev/sdf1 usbpool") == 1);
}

TEST_CASE("usb pool: a disk or a pool that does not fit is refused, and why", "[agent][zfs]") {
  Machine machine;
  std::string more;
  std::string why;
  SECTION("on another bus") {
    machine.second.bus = GENERATE("sata", "");
    why = "not by USB";
  }
  SECTION("blank") {
    machine.second.content = R"("fstype": "")";
    why = "the disk USB1 holds no pool 'usbpool'";
  }
  SECTION("another pool") {
    machine.second.content = R"("fstype": "zfs_member", "label": "datapool")";
    why = "sdf1 belongs to the pool 'datapool'";
  }
  SECTION("a file system") {
    machine.second.content = R"("fstype": "ext4")";
    why = "sdf1 holds ext4";
  }
  SECTION("something of it is mounted") {
    machine.second.content = R"("fstype": "ext4", "mountpoints": ["/srv"])";
    why = "sdf1 is mounted on /srv";
  }
  SECTION("another name below by-id") {
    machine.host.link("/dev/disk/by-id/usb-Seagate_USB1", "../../sdf");
    more = R"(, "byId": "usb-WD_USB1")";
    why = "is not usb-WD_USB1 below /dev/disk/by-id: it is usb-Seagate_USB1";
  }
  SECTION("too small, before it is imported") {
    more = R"(, "least": 5000)";
    why = "and 4.9 KiB are asked for";
  }
  SECTION("too small") {
    machine.second.imported = true;
    more = R"(, "least": 5000)";
    why = "the pool 'usbpool' has 3.9 KiB, and 4.9 KiB are asked for";
  }
  SECTION("imported read-only") {
    machine.second.imported = true;
    machine.second.readonly = "on";
    why = "is imported read-only";
  }
  SECTION("not whole") {
    machine.second.imported = true;
    machine.second.health = "DEGRADED";
    why = "the pool 'usbpool' is DEGRADED";
  }

  const auto refused = machine.plan(more);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == Fault::refused);
  CHECK_THAT(refused.error().what, Catch::Contains(why));
}

TEST_CASE("usb pool: a name of the disk below by-id may be asked for, too", "[agent][zfs]") {
  Machine machine;
  machine.host.link("/dev/disk/by-id/usb-Seagate_USB1", "../../sdf");

  CHECK(must(machine.plan(R"(, "byId": "usb-Seagate_USB1")")).size() == 1);
}

TEST_CASE("usb pool: one of that name that lies elsewhere is not it", "[agent][zfs]") {
  Machine machine;
  machine.second.imported = true;
  Draft<UsbPool::Facts> facts(machine.look().reader());
  facts->setSerials(GENERATE("", "OTHER", "OTHER,USB1"));

  const auto refused = UsbPool::plan(machine.wish().reader(), facts->asReader());

  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().what, Catch::Contains("a pool 'usbpool' is imported, and lies on"));
}

TEST_CASE("usb pool: is waited for", "[agent][zfs]") {
  Machine machine;
  machine.second.attached = false;

  const auto awaited = UsbPool::awaits(machine.wish().reader(), machine.look().reader());

  REQUIRE(awaited);
  CHECK(awaited->waiting.for_person == "attach the disk USB1");
  CHECK(machine.plan().error().fault == Fault::missing);
}

TEST_CASE("usb pool: a disk that was swapped since is left alone", "[agent][zfs]") {
  Machine machine;
  const auto changes = must(machine.plan());
  SECTION("it is gone") { machine.second.attached = false; }
  SECTION("it holds something else") {
    machine.second.content = R"("fstype": "zfs_member", "label": "other")";
  }

  CHECK_FALSE(UsbPool::apply(changes[0], machine.host));
  CHECK_FALSE(machine.second.imported);
}

}  // namespace relab::agent::zfs
