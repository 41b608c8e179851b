#include "agent/kinds/disks/attached.h"

#include "agent/host/sim/sim_host.h"
#include "tests/support/must.h"

namespace relab::agent::disks {

namespace {

constexpr auto disk =
    R"({"kname":"sdb","path":"/dev/sdb","type":"disk","size":4000,"serial":"WD-1","model":"Elements",
        "tran":"usb","mountpoints":[]})";
constexpr auto partition =
    R"({"kname":"sdb1","pkname":"sdb","path":"/dev/sdb1","type":"part","size":3000,"fstype":"ext4",
        "label":"old","mountpoints":["/mnt/old"]})";

/// A machine into which disks are plugged.
struct Machine {
  Machine() {
    host.directory("/run/udev/data");
    host.link("/dev/disk/by-id/usb-WD_Elements_WD-1-0:0", "../../sdb");
    plug("");
  }
  void plug(const std::string& rows) {
    host.program("lsblk", Output{.out = "{\"blockdevices\":[" + rows + "]}"});
  }
  Result<Message<DiskAttached::Facts>> observe(const std::string& serial = "WD-1") {
    const auto params =
        must(Message<schema::DiskAttached>::from_json(R"({"serial": ")" + serial + "\"}"));
    return DiskAttached::observe(params.reader(), host);
  }

  SimHost host;
};

}  // namespace

TEST_CASE("disk attached: a disk with that serial is told with what uses it", "[agent][disks]") {
  Machine machine;
  machine.plug(std::string(disk) + "," + partition);

  const auto facts = must(machine.observe());

  const auto reader = facts.reader();
  CHECK(reader.getAttached());
  CHECK(view(reader.getPath()) == "/dev/sdb");
  CHECK(view(reader.getById()) == "usb-WD_Elements_WD-1-0:0");
  CHECK(view(reader.getModel()) == "Elements");
  CHECK(reader.getSize() == 4000);
  CHECK(view(reader.getBus()) == "usb");
  CHECK(reader.getMounted());
  REQUIRE(reader.getUsers().size() == 1);
  CHECK(view(reader.getUsers()[0].getName()) == "/mnt/old");
}

TEST_CASE("disk attached: another disk is not the one", "[agent][disks]") {
  Machine machine;
  machine.plug(disk);

  const auto facts = must(machine.observe("WD-2"));

  CHECK_FALSE(facts.reader().getAttached());
  const auto params = must(Message<schema::DiskAttached>::from_json(R"({"serial": "WD-2"})"));
  CHECK(DiskAttached::awaits(params.reader(), facts.reader())->waiting.what ==
        "waiting for the disk WD-2");
}

TEST_CASE("disk attached: two disks with one serial are none", "[agent][disks]") {
  Machine machine;
  machine.plug(std::string(disk) +
               R"(,{"kname":"sdc","path":"/dev/sdc","type":"disk","size":9,"serial":"WD-1"})");

  CHECK(machine.observe().error().fault == Fault::conflict);
}

TEST_CASE("disk attached: what is no disk of its own does not count", "[agent][disks]") {
  Machine machine;
  const auto* row = GENERATE(R"({"kname":"sdb","type":"disk","size":0,"serial":"WD-1"})",
                             R"({"kname":"loop0","type":"loop","size":9,"serial":"WD-1"})",
                             R"({"kname":"nbd0","type":"disk","size":9,"serial":"WD-1"})");
  machine.plug(row);

  CHECK_FALSE(must(machine.observe()).reader().getAttached());
}

TEST_CASE("disk attached: without a serial nothing is looked for", "[agent][disks]") {
  Machine machine;

  CHECK(machine.observe("").error().fault == Fault::invalid);
  CHECK(machine.host.ran().empty());
}

}  // namespace relab::agent::disks
