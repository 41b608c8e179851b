// What the kinds archive and bring back, and what they run in a container, over the files of a
// simulated Debian.

#include <fmt/format.h>

#include "agent/host/sim/debian/debian.h"
#include "common/crypto/sha256.h"
#include "tests/unit/sim/debian/work.h"

namespace relab::agent::sim {

namespace {

/// A machine with a pool for archives, and a container that `pct exec` reaches.
struct Machine {
  SimHost host;
  SimHost inside;
  Debian debian{host, DebianStart{.hostname = "z640"}};
  Debian container{inside, Debian::container("bookworm", "arr")};

  Machine() {
    host.strict({});
    inside.strict({});
    host.file("/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
    host.directory("/mnt/usb");
    must(host.mount({.point = "/", .type = "ext4", .source = "rpool/ROOT"}));
    must(host.mount({.point = "/mnt/usb", .type = "zfs", .source = "backup"}));
    must(inside.mount({.point = "/", .type = "zfs", .source = "rpool/data/subvol-111-disk-0"}));
    host.program("pct", [this](const Command& command) {
      constexpr std::size_t own = 6;
      auto forwarded = command;
      forwarded.argv.erase(forwarded.argv.begin(), forwarded.argv.begin() + own);
      return inside.run(forwarded);
    });
  }
};

constexpr const char* keep_etc = R"({"preserve": {"paths": ["/etc/app", "/root"],
  "exclude": ["/etc/app/cache"], "folder": "/mnt/usb", "name": "etc"}})";

}  // namespace

TEST_CASE("debian: what is preserved of the machine is restored as it was", "[sim][debian]") {
  Machine machine;
  auto& host = machine.host;
  host.file("/etc/app/app.conf", "colour = blue\n", {.mode = 0640, .uid = 7, .gid = 8});
  host.file("/etc/app/app.db", std::string("SQLite format 3\0and more", 24));
  host.file("/etc/app/cache/big", "left out");
  host.link("/etc/app/now", "app.conf");

  must_carry_out(host, keep_etc);
  must(host.run({.argv = {"rm", "-r", "--", "/etc/app"}}));
  must_carry_out(host, R"({"restore": {"folder": "/mnt/usb", "name": "etc", "into": "/",
    "replace": true}})");

  CHECK(must(host.read_file("/etc/app/app.conf")) == "colour = blue\n");
  CHECK(must(host.status("/etc/app/app.conf")).mode == 0640);
  CHECK(must(host.status("/etc/app/app.conf")).uid == 7);
  CHECK(must(host.read_link("/etc/app/now")) == "app.conf");
  CHECK_FALSE(host.status("/etc/app/cache"));
  CHECK(must(host.list("/mnt/usb")).size() == 4);
  CHECK(host.unknown().empty());
}

TEST_CASE("debian: what is preserved of a container is taken while its unit stands still",
          "[sim][debian]") {
  Machine machine;
  auto& units = machine.container.units();
  units.install("sonarr.service",
                "[Service]\nExecStart=/usr/bin/sonarr\n[Install]\n"
                "WantedBy=multi-user.target\n",
                true);
  machine.inside.file("/var/lib/sonarr/sonarr.db", std::string("SQLite format 3\0and more", 24));

  must_carry_out(machine.host, R"({"preserve": {"vmid": 111, "paths": ["/var/lib/sonarr"],
    "stop": ["sonarr.service"], "folder": "/mnt/usb", "name": "arr"}})");

  CHECK(units.is_active("sonarr.service"));
  CHECK(units.state("relab-arr.timer").load == "not-found");
  CHECK(machine.inside.unknown().empty());
  CHECK(machine.host.unknown().empty());
}

TEST_CASE("debian: small programs say what is wrong in their own words", "[sim][debian]") {
  Machine machine;
  const auto run = [&](std::vector<std::string> argv) {
    return must(machine.host.run({.argv = std::move(argv)}));
  };

  CHECK(run({"cat", "/nowhere"}).err == "cat: /nowhere: No such file or directory\n");
  CHECK(run({"rmdir", "/etc"}).err == "rmdir: failed to remove '/etc': Directory not empty\n");
  CHECK(run({"mkdir", "-p", "-m", "700", "--", "/tmp/a/b"}).status == 0);
  CHECK(must(machine.host.status("/tmp/a/b")).mode == 0700);
  CHECK(must(machine.host.status("/tmp/a")).mode == 0755);
  CHECK(run({"stat", "--format=%F", "--", "/etc"}).out == "directory\n");
  CHECK(run({"sha256sum", "--", "/etc/hostname"}).out ==
        crypto::sha256(bytes_of("z640\n")) + "  /etc/hostname\n");
  CHECK(machine.host.run({.argv = {"cat", "-n", "/etc/hostname"}}).error().fault ==
        Fault::unsupported);
}

}  // namespace relab::agent::sim
