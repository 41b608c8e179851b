// What zfs, mount and their like say and leave behind where nobody else looks: as real ones do.

#include "agent/kinds/support/mounts.h"
#include "tests/unit/sim/storage/kinds.h"

namespace relab::agent::sim {

namespace {

Output run(SimHost& host, std::vector<std::string> argv) {
  return must(host.run({.argv = std::move(argv)}));
}

}  // namespace

TEST_CASE("sim storage: a snapshot that is there is told of every dataset, and nothing is taken",
          "[agent][sim][storage]") {
  Z640Machine machine;
  REQUIRE(run(machine.host, {"zfs", "snapshot", "datapool/media@once"}).status == 0);

  const auto output = run(machine.host, {"zfs", "snapshot", "-r", "datapool@once"});

  CHECK(output.status == 1);
  CHECK(output.err ==
        "cannot create snapshot 'datapool/media@once': dataset already exists\n"
        "no snapshots were created\n");
}

TEST_CASE("sim storage: why a held snapshot is not destroyed is told as by its version of ZFS",
          "[agent][sim][storage]") {
  const auto [version, words] = GENERATE(table<const char*, const char*>(
      {{"2.1.11-1", "dataset is busy"}, {"2.3.9-0+deb13u1", "it's being held. Run 'zfs holds"}}));
  Z640Machine machine(version);
  run(machine.host, {"zfs", "snapshot", "datapool@once"});
  run(machine.host, {"zfs", "hold", "keep", "datapool@once"});

  const auto output = run(machine.host, {"zfs", "destroy", "datapool@once"});

  CHECK(output.status == 1);
  CHECK_THAT(output.err, Catch::Contains(words));
}

TEST_CASE("sim storage: a dataset that is mounted goes with its folder", "[agent][sim][storage]") {
  Z640Machine machine;
  REQUIRE(run(machine.host, {"zfs", "create", "datapool/media/one"}).status == 0);
  REQUIRE(machine.host.status("/datapool/media/one").has_value());

  CHECK(run(machine.host, {"zfs", "destroy", "-r", "datapool/media/one"}) == Output{});

  CHECK_FALSE(machine.host.status("/datapool/media/one").has_value());
}

TEST_CASE("sim storage: nothing is written to a pool that may only be read",
          "[agent][sim][storage]") {
  Z640Machine machine;
  auto& host = machine.host;
  REQUIRE(run(host, {"zfs", "snapshot", "datapool/media@kept"}).status == 0);
  REQUIRE(run(host, {"zpool", "export", "datapool"}).status == 0);
  REQUIRE(run(host, {"zpool", "import", "-N", "-o", "readonly=on", "datapool"}).status == 0);

  for (const auto& argv :
       std::vector<std::vector<std::string>>{{"zfs", "snapshot", "datapool@late"},
                                             {"zfs", "hold", "keep", "datapool/media@kept"},
                                             {"zfs", "create", "datapool/late"},
                                             {"zfs", "set", "refquota=1G", "datapool/media"},
                                             {"zfs", "destroy", "datapool/media@kept"},
                                             {"zpool", "wait", "-t", "free", "datapool"}}) {
    INFO(argv[1]);
    const auto output = run(host, argv);
    CHECK(output.status != 0);
    CHECK_THAT(output.err, Catch::Contains("pool is read-only"));
  }
  // The real program never ends.
  CHECK_FALSE(host.run({.argv = {"zpool", "scrub", "datapool"}}));
  host.directory("/mnt/look");
  must(host.mount({.point = "/mnt/look", .type = "ext4", .source = "/dev/x", .options = "ro"}));
  const auto written = host.put_file("/mnt/look/file", {.text = "x"}, {});
  REQUIRE_FALSE(written);
  CHECK_THAT(written.error().what, Catch::Contains("Read-only file system"));
}

TEST_CASE("sim storage: limits are kept in bytes", "[agent][sim][storage]") {
  Z640Machine machine;
  run(machine.host, {"zfs", "create", "-o", "refquota=1048576k", "datapool/media/one"});

  CHECK(run(machine.host, {"zfs", "list", "-Hp", "-o", "refquota", "datapool/media/one"}).out ==
        "1073741824\n");
}

TEST_CASE("sim storage: snapshots that an estimate passes over are named",
          "[agent][sim][storage]") {
  Z640Machine machine;
  run(machine.host, {"zfs", "snapshot", "datapool/media@one"});
  run(machine.host, {"zfs", "snapshot", "datapool/media@two"});

  const auto output = run(machine.host, {"zfs", "send", "-nvP", "-R", "-w", "datapool/media@one"});

  CHECK(output.status == 0);
  CHECK(output.err ==
        "skipping snapshot datapool/media@two because it was created after the destination "
        "snapshot (one)\n");
}

TEST_CASE("sim storage: what is mounted on a folder is found there", "[agent][sim][storage]") {
  Z640Machine machine;

  const auto found = must(mount_at(machine.host, "/datapool/media"));

  REQUIRE(found);
  CHECK(found->source == "datapool/media");
}

TEST_CASE("sim storage: a new file system has its folder, and is mounted on a point once",
          "[agent][sim][storage]") {
  Z640Machine machine;
  must(machine.storage.plug("NAAB0001"));
  run(machine.host, {"mkfs.ext4", "-q", "-m", "0", "/dev/sdg"});
  run(machine.host, {"mkdir", "-p", "/mnt/usb"});
  const std::vector<std::string> mount = {"mount", "-t",       "ext4",    "-o",
                                          "rw",    "/dev/sdg", "/mnt/usb"};

  CHECK(run(machine.host, mount).status == 0);
  const auto again = run(machine.host, mount);

  CHECK(must(machine.host.list("/mnt/usb")) == std::vector<std::string>{"lost+found"});
  CHECK(again.status == 32);
  CHECK_THAT(again.err, Catch::Contains("/dev/sdg already mounted on /mnt/usb."));
}

TEST_CASE("sim storage: a partition turns as its disk does", "[agent][sim][storage]") {
  Z640Machine machine;

  const auto output = run(machine.host, {"lsblk", "--json", "--list", "--bytes", "--all",
                                         "--output", "KNAME,PKNAME,ROTA"});

  CHECK_THAT(output.out, Catch::Contains(R"("kname": "sdc1",
         "pkname": "sdc",
         "rota": true)"));
}

}  // namespace relab::agent::sim
