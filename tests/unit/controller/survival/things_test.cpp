// What of a host must not be lost though lab.toml does not know it.

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

  void has(const std::string& facts) {
    facts_.push_back(must(Message<schema::Facts>::from_json(facts)));
    const auto read = facts_.back().reader();
    if (read.isAuditZfs()) audit_.zfs = read.getAuditZfs();
    if (read.isAuditDisks()) audit_.disks = read.getAuditDisks();
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

  CHECK(host.wanted() == Places{"/fast of pve"});
}

TEST_CASE("things: only the pool that has the root file system is the system's own",
          "[controller][survival]") {
  Host host;
  host.has(R"({"auditZfs": {"pools": [{"name": "rpool"}]}})");

  SECTION("it is not mounted there") {
    host.mounts(R"({"point": "/", "type": "ext4", "source": "/dev/sda2"})");
    CHECK(host.wanted() == Places{"pool 'rpool', which lab.toml does not declare of pve"});
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

TEST_CASE("things: a pool on disks for backups is no stranger", "[controller][survival]") {
  Host host;
  const auto* const serial = GENERATE("USB1", "WHO", "");
  host.has(R"({"auditZfs": {"pools": [{"name": "usbpool"}], "vdevs": [)" +
           on_disk("usbpool", serial) + "]}}");

  const bool is_for_backups = std::string_view(serial) == "USB1";
  CHECK(host.wanted().empty() == is_for_backups);
  CHECK(host.ground().of_pool("usbpool").survives == is_for_backups);
}

}  // namespace relab::controller
