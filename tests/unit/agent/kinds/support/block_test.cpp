#include "agent/kinds/support/block.h"

#include <random>

#include "agent/host/sim/sim_host.h"
#include "tests/support/must.h"
#include "tests/support/transcript.h"

namespace relab::agent {

TEST_CASE("block devices: a volume on two disks leads to both, once each", "[agent][block]") {
  const auto devices = must(BlockDevices::parse(data_file("disks/lsblk-server.json")));

  const auto disks = devices.disks_of("dm-0");

  REQUIRE(disks.size() == 2);
  CHECK(disks[0]->name == "nvme1n1");
  CHECK(disks[1]->name == "nvme0n1");
  CHECK(devices.disks_of("sda3").at(0)->serial == "S5XYNX0R100001A");
  CHECK(devices.disks_of("sda").at(0)->name == "sda");
  CHECK(devices.disks_of("nothing").empty());
}

TEST_CASE("block devices: texts are trimmed and null is empty", "[agent][block]") {
  const auto devices = must(BlockDevices::parse(data_file("disks/lsblk-server.json")));

  CHECK(devices.find("sda")->vendor == "ATA");
  CHECK(devices.find("sda1")->file_system.empty());
  CHECK(devices.find("sda1")->mountpoints.empty());
  CHECK(devices.find("sde1")->mountpoints == std::vector<std::string>{"/mnt/usb"});
}

TEST_CASE("block devices: serials that only the kernel has are found", "[agent][block]") {
  SimHost host;
  host.program("lsblk", Output{.out = R"({"blockdevices":[{"kname":"vda","type":"disk"},
    {"kname":"nvme0n1","type":"disk","serial":null},{"kname":"vdb","type":"disk"}]})"});
  host.file("/sys/class/block/vda/serial", "d0");
  host.file("/sys/class/block/nvme0n1/device/serial", "21432M800001   \n");

  const auto devices = must(BlockDevices::read(host));

  CHECK(devices.find("vda")->serial == "d0");
  CHECK(devices.find("nvme0n1")->serial == "21432M800001");
  CHECK(devices.find("vdb")->serial.empty());
}

TEST_CASE("block devices: without udev their content is looked at", "[agent][block]") {
  SimHost host;
  host.program("lsblk", Output{.out = R"({"blockdevices":[
    {"kname":"vda","path":"/dev/vda","type":"disk","size":5,"mountpoints":["/"]},
    {"kname":"vdb","path":"/dev/vdb","type":"disk","size":5}]})"});
  host.answer("blkid -p -o export /dev/vda", {.status = 2, .err = "Operation not permitted\n"});
  host.answer("blkid -p -o export /dev/vdb",
              {.out = "DEVNAME=/dev/vdb\nLABEL=my\\ pool\nUUID=42\nTYPE=zfs_member\n"});

  const auto devices = must(BlockDevices::read(host));

  CHECK(devices.find("vdb")->file_system == "zfs_member");
  CHECK(devices.find("vdb")->label == "my pool");
  CHECK(devices.unread().empty());
}

TEST_CASE("block devices: rows that are each other's parents end", "[agent][block]") {
  const auto devices = must(BlockDevices::parse(R"({"blockdevices":[
    {"kname":"a","type":"md","pkname":"b"},{"kname":"b","type":"md","pkname":"a"},
    {"kname":"c","type":"part","pkname":"c"}]})"));

  CHECK(devices.disks_of("a").empty());
  CHECK(devices.disks_of("c").empty());
}

TEST_CASE("block devices: what lsblk does not say is an error", "[agent][block]") {
  CHECK_FALSE(BlockDevices::parse(""));
  CHECK_FALSE(BlockDevices::parse("{}"));
  CHECK_FALSE(BlockDevices::parse(R"({"blockdevices":[{"kname":"sda"}]})"));
  CHECK_FALSE(BlockDevices::parse(R"({"blockdevices":[7]})"));
  SimHost host;
  host.program("lsblk", Output{.status = 1, .err = "lsblk: failed to access sysfs directory\n"});
  CHECK_FALSE(BlockDevices::read(host));
}

TEST_CASE("block devices: arbitrary bytes do no harm", "[agent][block]") {
  std::mt19937 random(5);
  const auto whole = data_file("disks/lsblk-server.json");
  for (int round = 0; round < 300; ++round) {
    auto broken = whole;
    for (int i = 0; i < 4; ++i) broken[random() % broken.size()] = static_cast<char>(random());
    CHECK_NOTHROW(static_cast<void>(BlockDevices::parse(broken)));
  }
}

}  // namespace relab::agent
