#include "agent/kinds/support/mounts.h"

#include "agent/host/sim/sim_host.h"
#include "tests/support/must.h"

namespace relab::agent {

TEST_CASE("mounts: points are read in order, with white space as it is", "[agent][mounts]") {
  const auto points = must(
      parse_mountinfo("22 1 0:20 / / rw,relatime shared:1 - zfs rpool/ROOT/pve-1 rw,xattr\n"
                      "40 22 0:35 / /tank/tv\\040shows rw shared:9 - zfs tank/tv\\040shows rw\n"
                      "41 22 0:36 /sub /srv/a\\134b rw master:2 - ext4 /dev/sda1 rw\n"));

  CHECK(points == std::vector<Path>{"/", "/tank/tv shows", "/srv/a\\b"});
}

TEST_CASE("mounts: the file system and the part of it that is seen are read", "[agent][mounts]") {
  const auto mounts =
      must(parse_mounts("41 22 8:1 /a\\040b//deleted /srv rw master:2 - ext4 /dev/sda1 rw\n"));

  CHECK(mounts == std::vector<Mount>{{.point = "/srv",
                                      .type = "ext4",
                                      .source = "/dev/sda1",
                                      .device = "8:1",
                                      .root = "/a b//deleted"}});
}

TEST_CASE("mounts: what is no table of mounts is an error", "[agent][mounts]") {
  const auto* text =
      GENERATE("", "\n", "22 1 0:20 /\n", "22 1 0:20 / relative rw\n", "22 1 0:20 / / rw\nhello\n");

  CHECK_FALSE(parse_mountinfo(text));
}

TEST_CASE("mounts: a machine that tells no table is an error", "[agent][mounts]") {
  SimHost host;

  CHECK_FALSE(mount_points(host));
}

TEST_CASE("mounts: a name that only begins alike is not below", "[agent][mounts]") {
  CHECK(is_at_or_below("/srv/media", "/srv/media"));
  CHECK(is_at_or_below("/srv/media/tv", "/srv/media"));
  CHECK(is_at_or_below("/srv", "/"));
  CHECK_FALSE(is_at_or_below("/srv/media2", "/srv/media"));
}

TEST_CASE("mounts: what is seen at a point is found as the kernel finds it", "[agent][support]") {
  // The root may come after what is mounted on it.
  const std::string table =
      "22 27 0:21 / /proc rw - proc proc rw\n"
      "27 1 254:0 / / rw - ext4 /dev/vda rw\n"
      "30 27 0:40 / /tank rw - zfs tank rw\n"
      "31 30 0:41 / /tank/media ro - zfs tank/media rw\n"
      "32 31 0:42 / /tank/media rw - tmpfs upper rw\n"
      "33 27 0:43 / /srv rw - ext4 /dev/vdb rw\n"
      "34 27 0:44 / /srv/hidden rw - ext4 /dev/vdc rw\n";
  const auto source_at = [&](const std::string& path) {
    const auto mount = must(parse_mount_at(table, path));
    return mount ? mount->source : std::string();
  };

  CHECK(source_at("/") == "/dev/vda");
  CHECK(source_at("/proc") == "proc");
  CHECK(source_at("/tank") == "tank");
  CHECK(source_at("/tank/media") == "upper");
  CHECK(source_at("/tank/media/x").empty());
  CHECK(source_at("/srv/hidden").empty());
  const auto source_of = [&](const std::string& path) {
    return must(parse_mount_holding(table, path)).source;
  };
  CHECK(source_of("/tank/media/x") == "upper");
  CHECK(source_of("/tank/other") == "tank");
  CHECK(source_of("/srv/hidden/x") == "/dev/vdb");
  CHECK(source_of("/etc") == "/dev/vda");
  CHECK_FALSE(parse_mount_holding("", "/etc"));
  CHECK(parse_mount_at("30 27 0:40 / /tank rw - zfs tank rw\n", "/tank").error().fault ==
        Fault::damaged);
  CHECK(parse_mount_at("x 27 0:40 / / rw - zfs tank rw\n", "/").error().fault != Fault::missing);
}

}  // namespace relab::agent
