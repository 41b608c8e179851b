// What of a host must not be lost though lab.toml does not know it.

#include <algorithm>
#include <deque>
#include <fmt/format.h>

#include "controller/survival/fates.h"
#include "tests/support/must.h"

namespace relab::controller {

namespace {

/// A host by some sections of its audit, and what of it is wanted.
class Host {
 public:
  explicit Host(const std::string& keep = "")
      : lab_(must(Message<schema::Lab>::from_json(R"({"name": "home", "hosts": [{"name": "pve"}],
          "disks": [{"name": "os1", "serial": "OS1", "role": "os"},
                    {"name": "d1", "serial": "SER1", "role": "data"},
                    {"name": "usb", "serial": "USB1", "role": "backup"}],
          "pools": [{"name": "tank", "disks": ["d1"]}], "keep": [)" +
                                                  keep + "]}"))) {}

  static Host by(std::string_view lab) {
    Host host;
    host.lab_ = must(Message<schema::Lab>::from_json(lab));
    return host;
  }

  void has(const std::string& facts) {
    facts_.push_back(must(Message<schema::Facts>::from_json(facts)));
    const auto read = facts_.back().reader();
    if (read.isAuditZfs()) audit_.zfs = read.getAuditZfs();
    if (read.isAuditDisks()) audit_.disks = read.getAuditDisks();
    if (read.isAuditNetwork()) audit_.network = read.getAuditNetwork();
    if (read.isAuditGuests()) audit_.guests = read.getAuditGuests();
    if (read.isAuditServices()) audit_.services = read.getAuditServices();
  }
  /// Mounted from disks sda (os1), sdd (d1), sdf (usb) and sdx, which nobody declared.
  void mounts(const std::string& mounts) {
    has(R"({"auditDisks": {"disks": [{"name": "sda", "serial": "OS1"}, {"name": "sdd", "serial": "SER1"},
        {"name": "sdf", "serial": "USB1"}, {"name": "sdx", "serial": "WHO"}],
      "users": [{"disk": "sdd", "kind": "mount", "name": "/mnt/data"},
                {"disk": "sdf", "kind": "mount", "name": "/mnt/usb"},
                {"disk": "sda", "kind": "mount", "name": "/spare"},
                {"disk": "sdx", "kind": "mount", "name": "/srv, /srv/more"}], "mounts": [)" +
        mounts + "]}}");
  }
  std::vector<std::string> wanted() const {
    std::vector<std::string> places;
    for (const auto& thing : things_on(lab_.reader(), "pve", audit_))
      if (thing.wanted && !thing.given_up) places.push_back(thing.place());
    return places;
  }
  Ground ground() const { return {lab_.reader(), "pve", audit_}; }

 private:
  Message<schema::Lab> lab_;
  /// They stay where they are: the audit refers to them.
  std::deque<Message<schema::Facts>> facts_;
  HostAudit audit_;
};

using Places = std::vector<std::string>;

/// As ZFS has the layout of a pool of one disk.
std::string on_disk(const std::string& pool, const std::string& serial, int position = 0) {
  return fmt::format(
      R"({{"pool": "{0}", "name": "{0}", "kind": "root"}},
         {{"pool": "{0}", "depth": 1, "parent": {2}, "kind": "disk", "serial": "{1}"}})",
      pool, serial, position);
}

}  // namespace

TEST_CASE("things: an undeclared pool on a declared disk of the system must not be lost",
          "[controller][survival]") {
  Host host;
  host.mounts(R"({"point": "/", "type": "zfs", "source": "system/ROOT/pve-1"})");
  host.has(R"({"auditZfs": {"pools": [{"name": "tank"}, {"name": "system"}, {"name": "fast"}],
    "vdevs": [)" +
           on_disk("system", "OS1") + ", " + on_disk("fast", "OS1", 2) + R"(],
    "datasets": [{"name": "fast", "mountpoint": "/fast", "mounted": true}]}})");

  CHECK(host.wanted() ==
        Places{"pool 'fast', which lab.toml does not declare as one of data of pve"});
}

TEST_CASE("things: only the pool that has the root file system is the system's own",
          "[controller][survival]") {
  Host host;
  host.has(R"({"auditZfs": {"pools": [{"name": "rpool"}]}})");

  SECTION("it is not mounted there") {
    host.mounts(R"({"point": "/", "type": "ext4", "source": "/dev/sda2"})");
    CHECK(host.wanted() ==
          Places{"pool 'rpool', which lab.toml does not declare as one of data of pve"});
  }
  SECTION("something else is mounted over it") {
    host.mounts(R"({"point": "/", "type": "zfs", "source": "rpool/ROOT/pve-1"},
                   {"point": "/", "type": "ext4", "source": "/dev/sda2"})");
    CHECK(host.wanted().size() == 1);
  }
  SECTION("it is") {
    host.mounts(R"({"point": "/", "type": "zfs", "source": "rpool/ROOT/pve-1"})");
    CHECK(host.wanted().empty());
  }
}

TEST_CASE("things: a pool that lab.toml gives disks of the system, or another host, is a stranger",
          "[controller][survival]") {
  const std::string_view lab =
      GENERATE(as<std::string_view>(),
               R"({"name": "home", "hosts": [{"name": "pve"}], "disks": [
          {"name": "os1", "serial": "OS1", "role": "os"}],
        "pools": [{"name": "tank", "disks": ["os1"]}]})",
               R"({"name": "home", "hosts": [{"name": "pve"}, {"name": "other"}], "disks": [
          {"name": "d1", "serial": "SER1", "role": "data", "host": "other"}],
        "pools": [{"name": "tank", "disks": ["d1"], "host": "other"}]})");
  const bool imported = GENERATE(true, false);
  auto host = Host::by(lab);
  host.has(fmt::format(R"({{"auditZfs": {{"{}": [{{"name": "tank", "guid": "7"}}]}}}})",
                       imported ? "pools" : "importable"));

  CHECK(host.wanted().size() == 1);
  CHECK_FALSE(host.ground().of_pool("tank").survives);
}

TEST_CASE("things: a pool on disks for backups is no stranger", "[controller][survival]") {
  Host host;
  const auto* const serial = GENERATE("USB1", "WHO", "");
  const bool imported = GENERATE(true, false);
  const auto layout = on_disk("usbpool", serial);
  host.has(imported ? R"({"auditZfs": {"pools": [{"name": "usbpool"}], "vdevs": [)" + layout + "]}}"
                    : R"({"auditZfs": {"importable": [{"name": "usbpool"}], "importableVdevs": [)" +
                          layout + "]}}");

  const bool is_for_backups = std::string_view(serial) == "USB1";
  CHECK(host.wanted().empty() == is_for_backups);
  const auto lot =
      imported ? host.ground().of_pool("usbpool") : host.ground().of_exported_pool("usbpool");
  CHECK(lot.survives == is_for_backups);
}

TEST_CASE("things: a pool of which one disk is not for backups is a stranger",
          "[controller][survival]") {
  Host host;
  host.has(R"({"auditZfs": {"importable": [{"name": "usbpool"}], "importableVdevs": [
    {"pool": "usbpool", "kind": "root"},
    {"pool": "usbpool", "parent": 0, "kind": "disk", "serial": "USB1"},
    {"pool": "usbpool", "parent": 0, "kind": "disk", "serial": "USB1,WHO"}]}})");

  CHECK(host.wanted().size() == 1);
}

TEST_CASE("things: a pool that is not imported must be declared or given up",
          "[controller][survival]") {
  const std::string facts = R"({"auditZfs": {"importable": [{"name": "tank", "guid": "1"},
    {"name": "old", "guid": "2"}], "importableVdevs": []}})";
  Host host;
  host.has(facts);
  Host told(R"({"path": "/zpool:old", "lose": true})");
  told.has(facts);

  CHECK(host.wanted() == Places{"pool 'old' (2), which is not imported of pve"});
  CHECK(host.ground().of_exported_pool("old").why ==
        "the pool 'old' is not imported, and not declared in lab.toml");
  CHECK(told.wanted().empty());
}

TEST_CASE("things: another pool with the name of one that is imported is told by its GUID",
          "[controller][survival]") {
  const std::string facts = R"({"auditZfs": {"pools": [{"name": "tank"}],
    "importable": [{"name": "tank", "guid": "7"}]}})";
  Host host(R"({"path": "/zpool:tank", "lose": true})");
  host.has(facts);
  Host told(R"({"path": "/zpool:tank:7", "lose": true})");
  told.has(facts);

  CHECK(host.wanted() == Places{"pool 'tank' (7), which is not imported of pve"});
  CHECK(told.wanted().empty());
}

TEST_CASE("things: a file system of a disk that does not survive must not be lost",
          "[controller][survival]") {
  Host host(R"({"path": "/srv/more", "lose": true})");
  host.mounts(R"({"point": "/", "type": "ext4", "source": "/dev/sda2"},
    {"point": "/spare", "type": "xfs", "source": "/dev/sda5"},
    {"point": "/mnt/data", "type": "ext4", "source": "/dev/sdd1"},
    {"point": "/mnt/usb", "type": "ext4", "source": "/dev/sdf1"},
    {"point": "/srv", "type": "btrfs", "source": "/dev/sdx1"},
    {"point": "/srv/more", "type": "btrfs", "source": "/dev/sdx1"},
    {"point": "/home", "type": "ext4", "source": "/dev/mapper/pve-home"})");

  CHECK(host.wanted() == Places{"/spare of pve", "/srv of pve", "/home of pve"});
}

TEST_CASE("things: what the system itself has mounted may be lost", "[controller][survival]") {
  Host host;
  host.mounts(R"({"point": "/", "type": "ext4", "source": "/dev/mapper/pve-root"},
    {"point": "/boot", "type": "ext4", "source": "/dev/sda3"},
    {"point": "/boot/efi", "type": "vfat", "source": "/dev/sda2"},
    {"point": "/var", "type": "ext4", "source": "/dev/sda4"},
    {"point": "/var/lib/relab", "type": "ext4", "source": "/dev/sda4"},
    {"point": "/etc/relab", "type": "ext4", "source": "/dev/mapper/pve-root"},
    {"point": "/var/lib/lxcfs", "type": "fuse.lxcfs", "source": "lxcfs"},
    {"point": "/etc/pve", "type": "fuse", "source": "/dev/fuse"},
    {"point": "/snap/core/1", "type": "squashfs", "source": "/dev/loop0"},
    {"point": "/mnt/iso", "type": "iso9660", "source": "/dev/sdx"},
    {"point": "/media/cdrom", "type": "udf", "source": "/dev/sr0"},
    {"point": "/mnt/volume", "type": "ext4", "source": "/dev/zd16p1"},
    {"point": "/mnt/nas", "type": "nfs4", "source": "nas:/export"},
    {"point": "/tank", "type": "zfs", "source": "tank"})");

  CHECK(host.wanted().empty());
}

TEST_CASE("things: a folder of another disk is not the system's for lying below it",
          "[controller][survival]") {
  Host host;
  host.mounts(R"({"point": "/", "type": "ext4", "source": "/dev/sda2"},
    {"point": "/mnt/big", "type": "ext4", "source": "/dev/sdx2"},
    {"point": "/var", "type": "ext4", "source": "/dev/sdx2"})");

  CHECK(host.wanted() == Places{"/mnt/big of pve"});
}

TEST_CASE("things: the configuration of a tunnel that is down must not be lost",
          "[controller][survival]") {
  Host host;
  std::string network = R"({"auditNetwork": {}})";
  std::string services = R"({"auditServices": {}})";
  SECTION("its interface is there, and switched off") {
    network = R"({"auditNetwork": {"interfaces": [{"name": "wg0", "kind": "wireguard"}]}})";
  }
  SECTION("it is started with another interface") {
    network = R"({"auditNetwork": {"configured": [{"file": "/etc/network/interfaces",
      "name": "vmbr0", "options": "post-up wg-quick up wg0"}]}})";
  }
  SECTION("its key is in that folder") {
    network = R"({"auditNetwork": {"configured": [{"file": "/etc/network/interfaces",
      "name": "wg0", "options": "pre-up wg setconf $IFACE /etc/wireguard/$IFACE.conf"}]}})";
  }
  SECTION("its unit failed") {
    services = R"({"auditServices": {"units": [{"name": "wg-quick@wg0.service", "load": "loaded",
      "active": "failed"}]}})";
  }
  SECTION("its unit was stopped") {
    services = R"({"auditServices": {"units": [{"name": "wg-quick@wg0.service", "load": "loaded",
      "active": "inactive"}]}})";
  }
  host.has(network);
  host.has(services);

  CHECK(host.wanted() == Places{"/etc/network of pve", "/etc/wireguard of pve"});
}

TEST_CASE("things: what a unit configures the network from must not be lost",
          "[controller][survival]") {
  const auto row = GENERATE(table<std::string, std::string>(
      {{"nftables.service", "/etc/nftables.conf of pve"},
       {"netfilter-persistent.service", "/etc/iptables of pve"},
       {"systemd-networkd.service", "/etc/systemd/network of pve"}}));
  const auto& place = std::get<1>(row);
  const auto services = [&](const std::string& unit_file, const std::string& active) {
    Host host;
    host.has(R"({"auditNetwork": {}})");
    host.has(fmt::format(
        R"({{"auditServices": {{"unitFiles": [{{"name": "{0}", "state": "{1}"}}],
           "units": [{{"name": "{0}", "load": "loaded", "active": "{2}"}}]}}}})",
        std::get<0>(row), unit_file, active));
    return host.wanted();
  };

  CHECK(services("enabled", "inactive") == Places{"/etc/network of pve", place});
  CHECK(services("masked", "active") == Places{"/etc/network of pve", place});
  CHECK(services("masked", "inactive") == Places{"/etc/network of pve"});
}

TEST_CASE("things: files that the configuration of the network takes in or names are part of it",
          "[controller][survival]") {
  Host host;
  host.has(R"({"auditNetwork": {"ufw": "active", "configured": [
    {"file": "/etc/network/interfaces", "name": "vmbr0",
     "options": "bridge-stp off; post-up iptables-restore < \"/etc/fw/rules.v4\"; up /root/up.sh -v"},
    {"file": "/etc/network/interfaces.d/more", "name": "eno1", "options": "up cat /etc/net*/x"},
    {"file": "/opt/net/extra", "name": "eno2"}]}})");

  CHECK(host.wanted() == Places{"/etc/network of pve", "/etc/ufw of pve", "/etc/fw/rules.v4 of pve",
                                "/root/up.sh of pve", "/etc of pve", "/opt/net/extra of pve"});
}

TEST_CASE("things: keys of a tunnel that was found in a container must not be lost",
          "[controller][survival]") {
  constexpr auto found = R"({"auditGuests": {"guests": [{"vmid": 101, "name": "vpn"}],
    "units": [{"vmid": 101, "name": "grafana-server.service", "enabled": true, "runs": true}],
    "tunnels": [{"vmid": 101, "path": "/etc/wireguard/wg0.conf"},
                {"vmid": 101, "path": "/etc/wireguard/wg1.conf"},
                {"vmid": 101, "path": "/etc/systemd/network/50-home.netdev"}],
    "docker": [{"vmid": 101, "name": "wg", "image": "lscr.io/linuxserver/wireguard:latest",
                "folders": ["/opt/wg"]}, {"vmid": 101, "name": "db", "folders": ["/opt/db"]}]}})";
  const Places all{"/etc/pve of pve", "/etc/wireguard in guest 101 of pve",
                   "/etc/systemd/network/50-home.netdev in guest 101 of pve",
                   "/opt/wg in guest 101 of pve"};
  Host unknown;
  unknown.has(found);
  CHECK(unknown.wanted() == all);

  // Whatever lab.toml says of the guest: it may be mistaken, or mean another.
  for (const auto* guest :
       {R"("planned": true, "services": [{"kind": "wireguard", "path": "/etc/wireguard"}])",
        R"("services": [{"kind": "wireguard", "path": "/srv/tunnel"}])"}) {
    INFO(guest);
    auto declared = Host::by(R"({"name": "home", "hosts": [{"name": "pve"}],
      "guests": [{"name": "vpn", "vmid": 101, )" +
                             std::string(guest) + "}]}");
    declared.has(found);
    const auto wanted = declared.wanted();
    for (const auto& place : all) CHECK(std::ranges::find(wanted, place) != wanted.end());
  }

  Host given_up(R"({"vmid": 101, "path": "/etc", "lose": true},
                   {"vmid": 101, "path": "/opt/wg", "lose": true})");
  given_up.has(found);
  CHECK(given_up.wanted() == Places{"/etc/pve of pve"});
}

}  // namespace relab::controller
