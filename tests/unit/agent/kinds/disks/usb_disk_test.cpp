#include "agent/kinds/disks/usb_disk.h"

#include "tests/support/must.h"
#include "tests/support/sim_usb.h"

namespace relab::agent::disks {

namespace {

struct Machine {
  Machine() { usb.install(host); }

  Message<schema::UsbDisk> wish(const std::string& more = "") {
    return must(Message<schema::UsbDisk>::from_json(R"({"serial": "USB1", "folder": "/mnt/usb")" +
                                                    more + "}"));
  }
  Message<UsbDisk::Facts> look(const std::string& more = "") {
    usb.tell_mounts();
    return must(UsbDisk::observe(wish(more).reader(), host));
  }
  Result<std::vector<Change>> plan(const std::string& more = "") {
    return UsbDisk::plan(wish(more).reader(), look(more).reader());
  }
  Result<void> apply_all(const std::string& more = "") {
    RELAB_TRY(const auto changes, plan(more));
    for (const auto& change : changes) RELAB_CHECK(UsbDisk::apply(change, host));
    return {};
  }

  SimHost host;
  SimUsb usb;
};

constexpr const char* with_format = R"(, "format": true)";

}  // namespace

TEST_CASE("usb disk: what is formatted is mounted", "[agent][disks]") {
  Machine machine;
  machine.usb.file_system = "ext4";
  machine.usb.table = GENERATE("", "gpt");

  must(machine.apply_all());

  CHECK(must(machine.plan()).empty());
  const auto facts = machine.look();
  CHECK(view(facts.reader().getDevice()) == machine.usb.device());
  CHECK(view(facts.reader().getMountedOn()[0]) == "/mnt/usb");
  CHECK(facts.reader().getSize() == machine.usb.size);
  CHECK(std::ranges::count(machine.host.ran(), "mkfs.ext4 -q -m 0 /dev/sdf") == 0);
}

TEST_CASE("usb disk: a blank disk gets a file system where that is asked for", "[agent][disks]") {
  Machine machine;

  const auto refused = machine.plan();
  CHECK(refused.error().fault == Fault::refused);
  CHECK(refused.error().what == "the disk USB1 is blank");

  must(machine.apply_all(with_format));
  CHECK(must(machine.plan(with_format)).empty());
  CHECK(std::ranges::count(machine.host.ran(), "mkfs.ext4 -q -m 0 /dev/sdf") == 1);
}

TEST_CASE("usb disk: nothing but a blank disk is ever formatted", "[agent][disks]") {
  Machine machine;
  machine.usb.table = GENERATE("", "gpt");
  machine.usb.file_system = GENERATE("zfs_member", "LVM2_member", "linux_raid_member",
                                     "crypto_LUKS", "swap", "ntfs", "vfat", "");
  if (machine.usb.table.empty() && machine.usb.file_system.empty()) return;

  const auto refused = machine.plan(with_format);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == Fault::refused);
}

TEST_CASE("usb disk: what only looks blank is never formatted", "[agent][disks]") {
  Machine machine;
  SECTION("two signatures, so that lsblk tells none") {
    machine.usb.signatures =
        "DEVICE OFFSET TYPE UUID LABEL\nsdf 0x438 ext4\nsdf 0x3f000 zfs_member\n";
  }
  SECTION("encrypted from its first byte on") { machine.usb.zeroes_first = false; }
  SECTION("something at its end") { machine.usb.zeroes_last = false; }

  const auto made = machine.apply_all(with_format);

  REQUIRE_FALSE(made);
  CHECK(made.error().fault == Fault::refused);
  CHECK_THAT(made.error().what, Catch::StartsWith("the disk USB1 is not empty: "));
  CHECK(std::ranges::count(machine.host.ran(), "mkfs.ext4 -q -m 0 /dev/sdf") == 0);
}

TEST_CASE("usb disk: what was blank and is no more is left alone", "[agent][disks]") {
  Machine machine;
  const auto changes = must(machine.plan(with_format));
  machine.usb.file_system = GENERATE("ext4", "zfs_member");

  CHECK(UsbDisk::apply(changes.at(0), machine.host).error().fault == Fault::refused);
}

TEST_CASE("usb disk: a disk that does not fit is refused, and why", "[agent][disks]") {
  Machine machine;
  machine.usb.file_system = "ext4";
  std::string more;
  std::string why;
  SECTION("on another bus") {
    machine.usb.bus = "sata";
    why = "connected by sata, not by USB";
  }
  SECTION("mounted elsewhere") {
    machine.usb.mounted_on = "/srv";
    why = "sdf is mounted on /srv";
  }
  SECTION("another name below by-id") {
    more = R"(, "byId": "usb-WD_USB1")";
    why = "is not usb-WD_USB1 below /dev/disk/by-id: it is usb-Seagate_USB1";
  }
  SECTION("no name below by-id") {
    machine.host.remove("/dev/disk/by-id/usb-Seagate_USB1");
    more = R"(, "byId": "usb-Seagate_USB1")";
    why = "it is nothing there";
  }
  SECTION("too small") {
    more = R"(, "least": 5000000000000)";
    why = "and 4.5 TiB are asked for";
  }
  SECTION("something else on the folder") {
    machine.usb.covered = true;
    why = "tmpfs is mounted on /mnt/usb already";
  }
  SECTION("read-only") {
    machine.usb.mounted_on = "/mnt/usb";
    machine.usb.read_only = true;
    why = "/mnt/usb is mounted read-only";
  }

  const auto refused = machine.plan(more);

  REQUIRE_FALSE(refused);
  CHECK(refused.error().fault == Fault::refused);
  CHECK_THAT(refused.error().what, Catch::Contains(why));
}

TEST_CASE("usb disk: a name below by-id may be asked for, too", "[agent][disks]") {
  Machine machine;
  machine.usb.file_system = "ext4";

  CHECK(must(machine.plan(R"(, "byId": "usb-Seagate_USB1")")).size() == 1);
}

TEST_CASE("usb disk: is waited for", "[agent][disks]") {
  Machine machine;
  machine.usb.attached = false;
  const auto waiting = UsbDisk::awaits(machine.wish().reader(), machine.look().reader());
  REQUIRE(waiting);
  CHECK(waiting->waiting.for_person == "attach the disk USB1");
  // It may have been pulled out again.
  CHECK(machine.plan().error().fault == Fault::missing);

  machine.usb.attached = true;
  CHECK_FALSE(UsbDisk::awaits(machine.wish().reader(), machine.look().reader()));
}

}  // namespace relab::agent::disks
