#include "agent/kinds/support/mounts.h"

#include "tests/support/must.h"
#include "tests/support/sim_host.h"

namespace relab::agent {

TEST_CASE("mounts: points are read in order, with white space as it is", "[agent][mounts]") {
  const auto points = must(
      parse_mountinfo("22 1 0:20 / / rw,relatime shared:1 - zfs rpool/ROOT/pve-1 rw,xattr\n"
                      "40 22 0:35 / /tank/tv\\040shows rw shared:9 - zfs tank/tv\\040shows rw\n"
                      "41 22 0:36 /sub /srv/a\\134b rw master:2 - ext4 /dev/sda1 rw\n"));

  CHECK(points == std::vector<Path>{"/", "/tank/tv shows", "/srv/a\\b"});
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

}  // namespace relab::agent
