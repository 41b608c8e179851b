#include "agent/kinds/support/pve_config.h"

#include <fstream>
#include <iterator>
#include <random>

#include "tests/support/must.h"

namespace relab::agent {

namespace {

std::string sample(const std::string& name) {
  std::ifstream file(std::string(RELAB_TEST_DATA) + "/pve/" + name);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("pve config: a snapshot's values stay out of the current ones", "[agent][pve]") {
  const auto config = parse_pve_config(sample("112.conf"), GuestType::lxc);

  CHECK(config.bad_lines.empty());
  CHECK(config.current.value("mp0") == "/tank/models,mp=/models,ro=1");
  CHECK(config.current.value("snaptime").empty());
  REQUIRE(config.snapshots.size() == 1);
  CHECK(config.snapshots[0].name == "before_docker");
  CHECK(config.snapshots[0].value("snaptime") == "1791230400");
  CHECK(config.snapshots[0].value("mp0").empty());
}

TEST_CASE("pve config: notes are decoded and their lines joined", "[agent][pve]") {
  const auto config = parse_pve_config(sample("120.conf"), GuestType::lxc);

  CHECK(config.current.description ==
        "Proxmox Backup Server, datastore bind-mounted from the data pool\n"
        "second description line: colon is escaped, 100% too");
}

TEST_CASE("pve config: pending values are not current ones", "[agent][pve]") {
  const auto config = parse_pve_config(sample("130.conf"), GuestType::lxc);

  CHECK(config.current.value("memory") == "2048");
  CHECK(config.pending.value("memory") == "4096");
  CHECK(config.pending.value("delete") == "swap");
  CHECK(config.snapshots.empty());
}

TEST_CASE("pve config: raw lines keep their order and repeat", "[agent][pve]") {
  const auto config =
      parse_pve_config("lxc.idmap = u 0 100000 1000\nlxc.idmap: g 0 100000 1000\n", GuestType::lxc);

  REQUIRE(config.current.values.size() == 2);
  CHECK(config.current.values[0].second == "u 0 100000 1000");
  CHECK(config.current.values[1].second == "g 0 100000 1000");
}

TEST_CASE("pve config: a VM's pending section and cloud-init state are told from snapshots",
          "[agent][pve]") {
  const auto config = parse_pve_config(
      "name: ha\n[PENDING]\ncores: 4\n[special:cloudinit]\nname: old\n[before]\ncores: 1\n",
      GuestType::qemu);

  CHECK(config.current.value("name") == "ha");
  CHECK(config.pending.value("cores") == "4");
  REQUIRE(config.snapshots.size() == 1);
  CHECK(config.snapshots[0].name == "before");
}

TEST_CASE("pve config: a container's snapshot may be named pending", "[agent][pve]") {
  const auto config = parse_pve_config("[pending]\ncores: 1\n", GuestType::lxc);

  CHECK(config.pending.values.empty());
  CHECK(config.snapshots.at(0).name == "pending");
}

TEST_CASE("pve config: lines that are neither are counted", "[agent][pve]") {
  const auto config = parse_pve_config("cores: 2\nno colon here\n: x\nBad: 1\n", GuestType::lxc);

  CHECK(config.bad_lines == std::vector<std::size_t>{2, 3, 4});
}

TEST_CASE("pve config: any bytes are survived", "[agent][pve]") {
  std::mt19937 random(GENERATE(range(0U, 50U)));
  constexpr std::string_view alphabet = "a1:=,[]#%\n\t .lxcmp0/\xff";
  std::string text;
  for (int i = 0; i < 400; ++i) text += alphabet[random() % alphabet.size()];

  const auto config = parse_pve_config(text, GuestType::lxc);
  for (const auto& mount : container_mounts(config.current)) CHECK_FALSE(mount.key.empty());
}

TEST_CASE("pve config: sizes are by 1024", "[agent][pve]") {
  CHECK(parse_pve_size("64G") == std::uint64_t{64} << 30U);
  CHECK(parse_pve_size("512M") == std::uint64_t{512} << 20U);
  CHECK(parse_pve_size("8T") == std::uint64_t{8} << 40U);
  CHECK(parse_pve_size("1.5K") == 1536);
  CHECK(parse_pve_size("4096") == 4096);
  const auto bad = GENERATE("", "G", "-1G", "1X", "1e3", "nan", "inf", "99999999999T", "1.2.3G");
  CHECK_FALSE(parse_pve_size(bad).has_value());
}

TEST_CASE("pve config: a property's key may be left out once", "[agent][pve]") {
  const Properties properties("local-zfs:subvol-1-disk-0,size=8G,ro=1", "volume");

  CHECK(properties.value("volume") == "local-zfs:subvol-1-disk-0");
  CHECK(properties.truth("ro"));
  CHECK(properties.value("none").empty());
}

TEST_CASE("pve config: mounts are rootfs, volumes, binds and raw bind lines", "[agent][pve]") {
  const auto config = parse_pve_config(
      "rootfs: local-zfs:subvol-1-disk-0,size=8G\nmp0: /tank/media,mp=/media,backup=1\n"
      "mp1: tank:subvol-1-disk-1,mp=/data,size=1T,backup=1,mountoptions=noatime;discard\n"
      "lxc.mount.entry: /dev/net/tun dev/net/tun none bind,create=file\n"
      "lxc.mount.entry: tmpfs tmp tmpfs defaults 0 0\n"
      "lxc.mount.entry: /tank/x srv/x none rbind,ro,create=dir 0 0\n",
      GuestType::lxc);

  const auto mounts = container_mounts(config.current);

  REQUIRE(mounts.size() == 5);
  CHECK(mounts[0].path == "/");
  CHECK(mounts[0].backup);
  CHECK(mounts[1].of_host());
  CHECK_FALSE(mounts[1].backup);
  CHECK(mounts[2].backup);
  CHECK(mounts[2].options == "mountoptions=noatime;discard");
  CHECK(mounts[3].of_device());
  CHECK(mounts[4].path == "/srv/x");
  CHECK(mounts[4].read_only);
}

TEST_CASE("pve config: paths are those that Proxmox makes of them", "[agent][pve]") {
  const auto config = parse_pve_config(
      "mp0: /tank//media/,mp=media/\nmp1: tank:subvol-1-disk-1,mp=//data/./x//\n", GuestType::lxc);

  const auto mounts = container_mounts(config.current);

  REQUIRE(mounts.size() == 2);
  CHECK(mounts[0].source == "/tank/media");
  CHECK(mounts[0].path == "/media");
  CHECK(mounts[1].source == "tank:subvol-1-disk-1");
  CHECK(mounts[1].path == "/data/x");
  CHECK(tidied("/").size() == 1);
  CHECK(tidied("").empty());
}

}  // namespace relab::agent
