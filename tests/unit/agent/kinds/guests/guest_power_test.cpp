// Whether containers run.

#include "agent/kinds/guests/guest_power.h"

#include "tests/support/must.h"
#include "tests/support/sim_guest.h"
#include "tests/support/sim_pve.h"

namespace relab::agent::guests {

namespace {

struct Scene {
  SimHost host;
  SimPve pve;

  Scene() {
    pve.containers[100] = {.settings = {{"hostname", "pbs"}}};
    pve.install(host);
  }
  Result<std::vector<Change>> plan(const std::string& more = "") {
    const auto params =
        must(Message<schema::GuestPower>::from_json(R"({"name": "pbs", "vmid": 100)" + more + "}"));
    RELAB_TRY(const auto facts, GuestPower::observe(params.reader(), host));
    return GuestPower::plan(params.reader(), facts.reader());
  }
  std::string word(const std::string& more = "") {
    const auto changes = must(plan(more));
    return changes.empty() ? "" : changes.at(0).what;
  }
  Result<void> apply(const std::string& more = "") {
    RELAB_TRY(const auto changes, plan(more));
    for (const auto& change : changes) RELAB_CHECK(GuestPower::apply(change, host));
    return {};
  }
  SimPve::Container& container() { return pve.containers.at(100); }
};

}  // namespace

TEST_CASE("guest_power: starts, and waits until the system in it is up", "[agent][guests]") {
  Scene scene;
  scene.container().says = {"", "starting", "starting", "degraded"};
  CHECK(scene.word() == "start container 100 (pbs)");

  must(scene.apply());

  CHECK(scene.container().running);
  CHECK(scene.word().empty());
}

TEST_CASE("guest_power: one that ended right after its start did not start", "[agent][guests]") {
  Scene scene;
  scene.pve.ends_after_start = true;

  const auto started = scene.apply();

  REQUIRE_FALSE(started);
  CHECK(started.error().what == "container 100 ended right after its start: init died");
}

TEST_CASE("guest_power: one whose system does not come up is told so in time", "[agent][guests]") {
  Scene scene;
  scene.container().says = {"starting"};

  const auto started = scene.apply(R"(, "patience": 30)");

  REQUIRE_FALSE(started);
  CHECK(started.error().fault == Fault::busy);
  CHECK(started.error().what == "the system of container 100 was not up within 30 s: starting");
  CHECK(scene.word() == "wait until container 100 (pbs) has started");
}

TEST_CASE("guest_power: another init than systemd is up once it runs", "[agent][guests]") {
  Scene scene;
  scene.container().says = {};

  must(scene.apply());

  CHECK(scene.word().empty());
}

TEST_CASE("guest_power: shuts down, and restarts only where changes wait for it",
          "[agent][guests]") {
  Scene scene;
  scene.container().running = true;
  CHECK(scene.word(R"(, "applyWaiting": true)").empty());
  scene.container().pending = {{"cores", "4"}};
  scene.pve.write();
  CHECK(scene.word().empty());
  CHECK(scene.word(R"(, "applyWaiting": true)") ==
        "restart container 100 (pbs): 1 changes wait for it");

  must(scene.apply(R"(, "applyWaiting": true)"));
  CHECK(scene.container().running);
  CHECK(scene.container().settings.at("cores") == "4");

  must(scene.apply(R"(, "stopped": true)"));
  CHECK_FALSE(scene.container().running);
  CHECK(scene.word(R"(, "stopped": true)").empty());
}

TEST_CASE("guest_power: what goes on waiting is told", "[agent][guests]") {
  Scene scene;
  scene.container().running = true;
  scene.container().pending = {{"cores", "4"}, {"delete", "swap"}};
  scene.pve.write();

  const auto params =
      must(Message<schema::GuestPower>::from_json(R"({"name": "pbs", "vmid": 100})"));
  const auto facts = must(GuestPower::observe(params.reader(), scene.host));

  CHECK(GuestPower::notes(params.reader(), facts.reader()) ==
        std::vector<std::string>{"not in effect before the next start of container 100 (pbs): "
                                 "cores, swap (guest_power with `apply_waiting` restarts it)"});
}

TEST_CASE("guest_power: what its configuration gives a container must be there inside",
          "[agent][guests]") {
  Scene scene;
  SimHost inside;
  const std::string root = "1 0 0:4 / / rw - zfs rpool/data/subvol-100-disk-0 rw\n";
  const std::string media = "2 1 0:3 / /media rw - zfs tank/media rw\n";
  const std::string folder = "2 1 0:1 /tank/media /media rw - zfs rpool/ROOT/pve-1 rw\n";
  const std::string volume = "3 1 0:5 / /data rw - zfs rpool/data/subvol-100-disk-1 rw\n";
  scene.host.file(
      "/proc/self/mountinfo",
      "1 0 0:1 / / rw - zfs rpool/ROOT/pve-1 rw\n"
      "2 1 0:2 / /tank rw - zfs tank rw\n3 2 0:3 / /tank/media rw - zfs tank/media rw\n");
  auto& container = scene.container();
  container.running = true;
  container.settings.insert({{"mp0", "/tank/media,mp=/media"},
                             {"mp1", "local-zfs:subvol-100-disk-1,mp=/data,size=8G"},
                             {"dev0", "/dev/dri/renderD128,gid=104"},
                             {"lxc.mount.entry", "/tank/more more none bind,optional 0 0"}});
  scene.pve.write();
  scene.pve.shell = [&](unsigned, const std::vector<std::string>& argv) {
    return Output{.out = look(inside, {argv.begin() + 4, argv.end()})};
  };
  const auto shows = [&](const std::string& mounts) {
    inside.file("/proc/self/mountinfo", root + mounts);
  };
  const auto concern = [&](const std::string& more = "") {
    const auto found = scene.plan(more);
    REQUIRE_FALSE(found);
    CHECK(found.error().fault == Fault::refused);
    return found.error().what;
  };
  const std::string runs_without =
      "container 100 (pbs) runs without what its configuration gives it: ";

  inside.device("/dev/dri/renderD128", {.type = FileType::character});
  shows(media + volume);
  CHECK(scene.word().empty());

  shows(volume);
  CHECK(concern() == runs_without + "mp0: nothing is mounted at /media");
  // It started while the pool was locked: what was bound is the folder below.
  shows(folder + volume);
  CHECK(concern() == runs_without +
                         "mp0: /media is on rpool/ROOT/pve-1, and /tank/media of the host on "
                         "tank/media");
  CHECK(scene.word(R"(, "applyWaiting": true)") ==
        "restart container 100 (pbs): mp0: /media is on rpool/ROOT/pve-1, and /tank/media of the "
        "host on tank/media");
  // What lies over it is what is seen.
  shows(media + "4 2 0:9 / /media rw - tmpfs tmpfs rw\n" + volume);
  CHECK(concern() == runs_without + "mp0: tmpfs lies over /media");
  shows(media + volume + "4 3 0:9 / /data rw - tmpfs tmpfs rw\n");
  CHECK(concern() == runs_without + "mp1: tmpfs lies over /data");
  shows(media);
  CHECK(concern() == runs_without + "mp1: nothing is mounted at /data");
  shows(media + volume);
  inside.remove("/dev/dri/renderD128");
  CHECK(concern() == runs_without + "dev0: there is no device /dev/dri/renderD128");
  inside.file("/dev/dri/renderD128", "");
  CHECK(concern() == runs_without + "dev0: there is no device /dev/dri/renderD128");

  // What only waits for the next start is not missed.
  container.settings.erase("dev0");
  container.pending = {{"dev0", "/dev/dri/renderD128,gid=104"}};
  scene.pve.write();
  CHECK(scene.word().empty());
}

namespace {

/// A container that runs, what its host has mounted, and what is to be seen of that inside.
struct Bound : Scene {
  SimHost inside;

  explicit Bound(const std::string& mounts) {
    host.file("/proc/self/mountinfo", "1 0 8:2 / / rw - ext4 /dev/sda2 rw\n" + mounts);
    pve.shell = [this](unsigned, const std::vector<std::string>& argv) {
      return Output{.out = look(inside, {argv.begin() + 4, argv.end()})};
    };
    container().running = true;
  }
  void give(const std::string& key, const std::string& value) {
    container().settings[key] = value;
    pve.write();
  }
  /// What it lacks, "" for nothing, where this is mounted inside.
  std::string lack(const std::string& mounts) {
    inside.file("/proc/self/mountinfo", "1 0 8:9 / / rw - ext4 /dev/loop0 rw\n" + mounts);
    const auto found = plan();
    if (found) return found->empty() ? "" : found->at(0).what;
    constexpr std::string_view before =
        "container 100 (pbs) runs without what its configuration gives it: ";
    CHECK_THAT(found.error().what, Catch::StartsWith(std::string(before)));
    return found.error().what.substr(before.size());
  }
};

}  // namespace

TEST_CASE("guest_power: a directory that was replaced after the start is not there",
          "[agent][guests]") {
  Bound scene("");
  scene.give("mp0", "/srv/film,mp=/media");

  CHECK(scene.lack("2 1 8:2 /srv/film /media rw - ext4 /dev/sda2 rw\n").empty());
  CHECK(scene.lack("2 1 8:2 /srv/film//deleted /media rw - ext4 /dev/sda2 rw\n") ==
        "mp0: /media shows a directory that the host has deleted");
  CHECK(scene.lack("2 1 8:2 /srv/film.old /media rw - ext4 /dev/sda2 rw\n") ==
        "mp0: /media is /srv/film.old of /dev/sda2, and /srv/film of the host is /srv/film of it");
}

TEST_CASE("guest_power: a mount that hides another one leaves nothing of it", "[agent][guests]") {
  Bound scene("");
  scene.give("mp0", "/srv/film,mp=/media/film");
  scene.give("mp1", "/srv/media,mp=/media");
  const std::string outer = " 1 8:2 /srv/media /media rw - ext4 /dev/sda2 rw\n";
  const std::string inner = " 8:2 /srv/film /media/film rw - ext4 /dev/sda2 rw\n";

  CHECK(scene.lack("2" + outer + "3 2" + inner).empty());
  CHECK(scene.lack("2 1" + inner + "3" + outer) ==
        "mp0: /dev/sda2 lies over /media/film, at /media (as mp1: the one further inside needs "
        "the higher number)");
  scene.give("mp0", "/srv/media,mp=/media");
  scene.give("mp1", "/srv/film,mp=/media/film");
  CHECK(scene.lack("2" + outer + "3 2" + inner + "4 2 0:9 / /media rw - tmpfs none rw\n") ==
        "mp0: tmpfs lies over /media; mp1: tmpfs lies over /media/film, at /media");
}

TEST_CASE("guest_power: file systems are told apart by the kernel's number, not by their names",
          "[agent][guests]") {
  Bound scene(
      "2 1 0:40 / /srv/one rw - tmpfs tmpfs rw\n3 1 0:41 /of/it /srv/two rw - btrfs /dev/sdb rw\n"
      "4 1 0:42 / /srv/far rw - nfs4 nas:/x rw\n5 1 0:43 / /srv/old rw - zfs lower rw\n"
      "6 5 0:44 / /srv/old rw - zfs upper rw\n");
  scene.give("mp0", "/srv/one,mp=/one");
  CHECK(scene.lack("2 1 0:40 / /one rw - tmpfs tmpfs rw\n").empty());
  CHECK(scene.lack("2 1 0:50 / /one rw - tmpfs tmpfs rw\n") ==
        "mp0: /one is on another tmpfs than /srv/one of the host, though both are called tmpfs");

  // A part of a file system is mounted, and a part of that bound.
  scene.give("mp0", "/srv/two/a,mp=/two");
  CHECK(scene.lack("2 1 0:41 /of/it/a /two rw - btrfs /dev/disk/by-id/b rw\n").empty());
  CHECK(scene.lack("2 1 0:41 /a /two rw - btrfs /dev/sdb rw\n") ==
        "mp0: /two is /a of /dev/sdb, and /srv/two/a of the host is /of/it/a of it");

  // NFS tells no part.
  scene.give("mp0", "/srv/far/a,mp=/far");
  CHECK(scene.lack("2 1 0:42 / /far rw - nfs4 nas:/x/a rw\n").empty());

  // The host has one over the other.
  scene.give("mp0", "/srv/old,mp=/old");
  CHECK(scene.lack("2 1 0:44 / /old rw - zfs upper rw\n").empty());
  CHECK(scene.lack("2 1 0:43 / /old rw - zfs lower rw\n") ==
        "mp0: /old is on lower, and /srv/old of the host on upper");
}

TEST_CASE("guest_power: mount points are read as Proxmox reads them", "[agent][guests]") {
  Bound scene("");
  scene.give("mp0", "/srv/film/,mp=media/");
  CHECK(scene.lack("2 1 8:2 /srv/film /media rw - ext4 /dev/sda2 rw\n").empty());
  CHECK(scene.lack("") == "mp0: nothing is mounted at /media");

  // Of a device the host has mounted nothing.
  scene.give("mp0", "/dev/sdb1,mp=/mnt");
  CHECK(scene.lack("2 1 8:17 / /mnt rw - ext4 /dev/sdb1 rw\n").empty());
  CHECK(scene.lack("") == "mp0: nothing is mounted at /mnt");
}

TEST_CASE("guest_power: units that failed are told, but for what no container can do",
          "[agent][guests]") {
  Scene scene;
  const auto params =
      must(Message<schema::GuestPower>::from_json(R"({"name": "pbs", "vmid": 100})"));
  const auto notes = [&](const std::string& failed) {
    const auto facts = must(Message<schema::GuestPower::Facts>::from_json(
        R"({"kind": "lxc", "status": "running", "systemd": "degraded", "failed": [)" + failed +
        "]}"));
    CHECK(must(GuestPower::plan(params.reader(), facts.reader())).empty());
    return GuestPower::notes(params.reader(), facts.reader());
  };

  CHECK(notes(R"("sys-kernel-debug.mount", "app.service", "other.timer")") ==
        std::vector<std::string>{"in container 100 (pbs) failed: app.service, other.timer (see "
                                 "`pct exec 100 -- systemctl --failed`)"});
  CHECK(notes(R"("sys-kernel-debug.mount", "sys-kernel-config.mount")").empty());
}

TEST_CASE("guest_power: one that shows nothing of itself is no success, and can be shut down",
          "[agent][guests]") {
  Scene scene;
  mount(scene.host, {"/"});
  auto& container = scene.container();
  container.running = true;
  container.settings["mp0"] = "/tank/media,mp=/media";
  scene.pve.write();
  scene.pve.shell = [](unsigned, const std::vector<std::string>&) { return Output{}; };

  const auto found = scene.plan();
  REQUIRE_FALSE(found);
  CHECK(found.error().what == "container 100 (pbs) cannot be looked into: the answer has no end");
  must(scene.apply(R"(, "stopped": true)"));
  CHECK_FALSE(container.running);

  // An image without a system may have no shell.
  container.says = {};
  container.running = true;
  const auto params =
      must(Message<schema::GuestPower>::from_json(R"({"name": "pbs", "vmid": 100})"));
  const auto facts = must(GuestPower::observe(params.reader(), scene.host));
  CHECK(must(GuestPower::plan(params.reader(), facts.reader())).empty());
  CHECK(GuestPower::notes(params.reader(), facts.reader()) ==
        std::vector<std::string>{"whether container 100 (pbs) has its mounts and devices is not "
                                 "known: the answer has no end"});
}

TEST_CASE("guest_power: does not start one whose directories are not there", "[agent][guests]") {
  Scene scene;
  mount(scene.host, {"/"});
  const auto mounts =
      R"(, "mounts": [{"source": "/datapool/pbs", "target": "/d", "pool": "datapool"}])";
  CHECK(scene.plan(mounts).error().fault == Fault::refused);
  scene.host.directory("/datapool/pbs");
  CHECK(scene.plan(mounts).error().fault == Fault::refused);
}

TEST_CASE("guest_power: one that runs on directories that are not there is not as it should be",
          "[agent][guests]") {
  Scene scene;
  mount(scene.host, {"/"});
  scene.host.directory("/datapool/pbs");
  scene.container().running = true;
  const std::string mounts =
      R"(, "mounts": [{"source": "/datapool/pbs", "target": "/d", "pool": "datapool"}])";

  const auto found = scene.plan(mounts);
  REQUIRE_FALSE(found);
  CHECK(found.error().fault == Fault::refused);
  CHECK(found.error().what ==
        "container 100 (pbs) runs without what it is to have: /datapool/pbs is not on the pool "
        "'datapool' now: it is not mounted, or not unlocked");
  CHECK_THAT(found.error().hint, Catch::Contains("pct shutdown 100"));
  // Nor is it restarted onto them.
  scene.container().pending = {{"cores", "4"}};
  scene.pve.write();
  CHECK(scene.plan(mounts + R"(, "applyWaiting": true)").error().fault == Fault::refused);

  // To shut it down is always possible.
  must(scene.apply(mounts + R"(, "stopped": true)"));
  CHECK_FALSE(scene.container().running);
}

TEST_CASE("guest_power: there must be such a container", "[agent][guests]") {
  Scene scene;
  scene.host.remove("/etc/pve/nodes/pve/lxc/100.conf");

  CHECK(scene.plan().error().what == "there is no container 100 on this host");
}

}  // namespace relab::agent::guests
