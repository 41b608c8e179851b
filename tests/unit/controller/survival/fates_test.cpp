// What survives an installation of the operating system, and what does not.

#include "controller/survival/fates.h"

#include <algorithm>
#include <fmt/format.h>

#include "controller/survival/looks.h"
#include "controller/survival/losses.h"
#include "tests/support/audited.h"

namespace relab::controller {

namespace {

using schema::Standing;
using std::chrono::hours;

/// What is mounted where; `more` is put behind it.
std::string mounts_with(const std::string& more = "") {
  return R"({"point": "/", "type": "zfs", "source": "rpool/ROOT/pve-1"},
      {"point": "/rpool/data/subvol-110-disk-0", "type": "zfs",
       "source": "rpool/data/subvol-110-disk-0"},
      {"point": "/tank", "type": "zfs", "source": "tank"},
      {"point": "/tank/app", "type": "zfs", "source": "tank/app"},
      {"point": "/old", "type": "zfs", "source": "old"},
      {"point": "/mnt/usb", "type": "ext4", "source": "/dev/sdf1"},
      {"point": "/srv", "type": "ext4", "source": "/dev/sdx1"})" +
         more;
}
std::string disks_facts(const std::string& users = "", const std::string& mounts = "") {
  return R"({"auditDisks": {"disks": [{"name": "sda", "serial": "OS1"},
      {"name": "sdf", "serial": "USB1"}, {"name": "sdx", "serial": "WHO"}],
      "users": [{"disk": "sdf", "kind": "mount", "name": "/mnt/usb, /media/usb"},
                {"disk": "sdx", "kind": "mount", "name": "/srv"})" +
         users + R"(], "mounts": [)" + mounts_with(mounts) + "]}}";
}
constexpr auto storages = R"("storages": [
      {"id": "local-zfs", "type": "zfspool", "pool": "rpool/data"},
      {"id": "tank", "type": "zfspool", "pool": "tank"},
      {"id": "usb", "type": "dir", "path": "/mnt/usb"},
      {"id": "thin", "type": "lvmthin"}])";
std::string guests_facts(const std::string& disks = "", const std::string& mounts = "") {
  return R"({"auditGuests": {"guests": [{"vmid": 110, "name": "arr", "type": "lxc"}],
      "disks": [{"vmid": 110, "key": "rootfs", "storage": "local-zfs",
                 "volume": "subvol-110-disk-0", "guestPath": "/"})" +
         disks + R"(],
      "mounts": [{"vmid": 110, "key": "mp0", "hostPath": "/tank/app", "guestPath": "/data"})" +
         mounts + "], " + storages + "}}";
}

constexpr std::string_view a_lab = R"({"name": "home",
  "hosts": [{"name": "pve"}],
  "disks": [{"name": "os1", "serial": "OS1", "role": "os"},
            {"name": "d1", "serial": "SER1", "role": "data"},
            {"name": "d2", "serial": "SER2", "role": "data"},
            {"name": "usb", "serial": "USB1", "role": "backup"}],
  "pools": [{"name": "rpool", "disks": ["os1"]}, {"name": "tank", "disks": ["d1", "d2"]}],
  "keep": [{"path": "/root/notes"}, {"path": "/data/app", "vmid": 110, "why": "years of work"},
           {"path": "/etc/cron.d", "lose": true}],
  "plan": {"phases": [{"name": "0a", "title": "audit"},
    {"name": "0c", "title": "preserve", "tracks": [{"name": "t", "agent": "pve", "steps": [
      {"name": "s", "task": {"preserve": {"paths": ["/etc/network"], "folder": "/mnt/usb",
                                          "name": "net"}}}]}]},
    {"name": "1", "title": "install", "gate": [{"name": "data.survives"}]}]}})";

/// An organic host: some of it on the pool of data, most of it not.
struct Scene : Audited {
  explicit Scene(std::string_view json = a_lab) : Audited(json) {
    again("zfs", R"({"auditZfs": {"pools": [{"name": "tank"}, {"name": "rpool"}], "datasets": [
      {"name": "rpool/ROOT/pve-1", "mountpoint": "/", "mounted": true},
      {"name": "rpool/data/subvol-110-disk-0", "mountpoint": "/rpool/data/subvol-110-disk-0",
       "mounted": true},
      {"name": "tank", "mountpoint": "/tank", "mounted": true},
      {"name": "tank/vm", "mountpoint": "none"},
      {"name": "tank/app", "mountpoint": "/tank/app", "mounted": true},
      {"name": "old", "mountpoint": "/old", "mounted": true}]}})");
    again("disks", disks_facts());
    again("guests", guests_facts());
    again("arr", R"({"auditArr": {"apps": [
      {"app": "sonarr", "vmid": 110, "dataPath": "/var/lib/sonarr"},
      {"app": "radarr", "vmid": 110, "dataPath": "/data/radarr",
       "hostPath": "/tank/app/radarr"},
      {"app": "prowlarr", "container": "prowlarr", "dataPath": "/config",
       "hostPath": "/srv/prowlarr"},
      {"app": "bazarr", "vmid": 110, "container": "bazarr", "dataPath": "/config"}]}})");
    again("network", R"({"auditNetwork": {"wireguard": [{"interface": "wg0"}]}})");
    again("schedules", R"({"auditSchedules": {"crontabs": [
      {"path": "/etc/cron.d/backup", "jobs": 2}, {"path": "/etc/cron.d/empty"}]}})");
    again("pbs", R"({"auditPbs": {"servers": [{"vmid": 110}], "storages": [
      {"id": "pbs", "encrypted": true}]}})");
    look("/data/app", 110, R"("real": "/tank/app/app")");
  }
  /// As the agent tells where a path really lies.
  void look(const std::string& path, std::uint32_t vmid, const std::string& found) {
    const auto task = task_number(++last);
    const auto place = fmt::format(R"("path": "{}", "vmid": {})", path, vmid);
    records.order({.task = task,
                   .arm = "pathCheck",
                   .params = fmt::format(R"({{"paths": [{{{}}}]}})", place)},
                  agent);
    must(records.report(
        {.task = task,
         .facts = fmt::format(R"({{"pathCheck": {{"places": [{{{}, {}}}]}}}})", place, found)},
        agent));
  }
  /// The facts of sections with something replaced.
  void radarr_at(const std::string& host_path) {
    again("arr", R"({"auditArr": {"apps": [{"app": "radarr", "vmid": 110,
      "dataPath": "/data/radarr", "hostPath": ")" +
                     host_path + "\"}]}}");
  }

  Evidences evidences() const {
    return {.lab = lab.reader(), .state = records.state, .now = records.now};
  }
  std::vector<Fate> fates() const {
    const auto heard = hear_audit(evidences(), "pve", hours(24));
    REQUIRE(heard.missing.empty());
    return fates_on(evidences(), "pve", heard.audit, hours(24));
  }
  Fate of(const std::string& place) const {
    const auto all = fates();
    const auto found =
        std::ranges::find_if(all, [&](const Fate& fate) { return fate.thing.place() == place; });
    INFO(place);
    REQUIRE(found != all.end());
    return *found;
  }
  /// As the agent reports an archive that it has just read back.
  void preserve(const std::string& paths, const std::string& more = "",
                const std::string& changed = "") {
    const auto task = task_number(++last);
    records.order({.task = task,
                   .arm = "preserve",
                   .params = "{\"paths\": " + paths + R"(, "folder": "/mnt/usb", "name": "net")" +
                             more + "}"},
                  agent);
    must(records.report({.task = task,
                         .facts = R"({"preserve": {"state": "complete", "entries": "3",
      "diskSerial": "USB1", "fileSystem": "ext4", "signedBy": ")" +
                                  hex(agent.sign_key()) + R"(", "writtenAt": ")" +
                                  std::to_string(unix_millis(records.now)) + "\"" + changed + "}}"},
                        agent));
  }
  Verdict verdict() const { return data_survives(evidences(), hours(24)); }
};

}  // namespace

TEST_CASE("survival: a volume is where its storage says, not where one of its name is",
          "[controller][survival]") {
  Scene scene;
  scene.again("zfs", R"({"auditZfs": {"pools": [{"name": "tank"}, {"name": "rpool"}], "datasets": [
      {"name": "tank/replica/subvol-110-disk-0"}, {"name": "tank/subvol-110-disk-0"}]}})");
  CHECK(scene.of("/var/lib/sonarr in guest 110 of pve").ending == Ending::lost);

  const auto with_root_on = [&](const std::string& storage) {
    auto facts = guests_facts();
    const std::string from = R"("storage": "local-zfs")";
    scene.again("guests",
                facts.replace(facts.find(from), from.size(), R"("storage": ")" + storage + "\""));
    return scene.of("/ in guest 110 of pve");
  };
  CHECK(with_root_on("tank").ending == Ending::survives);
  CHECK(with_root_on("usb").ending == Ending::survives);
  CHECK(
      with_root_on("thin").why ==
      "the volume subvol-110-disk-0 is on the storage 'thin' (lvmthin), which is no pool of data");
  CHECK(with_root_on("other").why == "the audit does not tell where the storage 'other' is");
}

TEST_CASE("survival: a path survives where it lies on a pool of data", "[controller][survival]") {
  const Scene scene;

  CHECK(scene.of("/data/radarr in guest 110 of pve").ending == Ending::survives);
  CHECK(scene.of("/data/radarr in guest 110 of pve").why ==
        "/tank/app/radarr of the host, in tank/app, on the pool of data 'tank'");
  CHECK(scene.of("/var/lib/sonarr in guest 110 of pve").ending == Ending::lost);
  CHECK(scene.of("/var/lib/sonarr in guest 110 of pve").why ==
        "in rpool/data/subvol-110-disk-0, the pool 'rpool' lies on os1, which is no disk of data");
  CHECK(scene.of("/srv/prowlarr of pve").why ==
        "its disk WHO is not declared in lab.toml, mounted on /srv");
  CHECK(scene.of("/etc/network of pve").ending == Ending::lost);
  CHECK(scene.of("/tank of pve").ending == Ending::survives);
  CHECK(scene.of("dataset tank/vm of pve").ending == Ending::survives);
  CHECK(scene.of("/old of pve").why == "the pool 'old' is not declared in lab.toml");
  CHECK(scene.of("/data/app in guest 110 of pve").thing.what == "kept by lab.toml: years of work");
}

TEST_CASE("survival: a path that only seems to lie on a pool of data is lost",
          "[controller][survival]") {
  Scene scene;
  std::string place = "/data/app in guest 110 of pve";
  std::string why;
  SECTION("a link leads off it") {
    scene.look("/data/app", 110, R"("real": "/home/app")");
    why = "but a link leads to /home/app of the host, in rpool/ROOT/pve-1";
  }
  SECTION("there is nothing") {
    scene.look("/data/app", 110, R"("why": "there is no /data/app")");
    why = "but there is no /data/app";
  }
  SECTION("the look is too old") {
    scene.records.now += hours(25);
    for (const auto* section :
         {"zfs", "disks", "guests", "arr", "jellyfin", "pbs", "network", "schedules"})
      scene.again(section, facts_of(section));
    // What the sections say does not matter here: nothing but the age of the look does.
    CHECK_FALSE(look_at(scene.evidences(), "pve", 110, "/data/app", hours(24)).concern.empty());
    CHECK(look_at(scene.evidences(), "pve", 110, "/data/app", hours(48)).concern.empty());
    return;
  }
  SECTION("somebody looked at another path") {
    CHECK_THAT(look_at(scene.evidences(), "pve", 0, "/data/app", hours(24)).concern,
               Catch::StartsWith("nobody has looked"));
    CHECK_THAT(look_at(scene.evidences(), "pve", 110, "/data", hours(24)).concern,
               Catch::StartsWith("nobody has looked"));
    return;
  }
  SECTION("the folder of an application is a link") {
    scene.radarr_at("/home/radarr");
    place = "/data/radarr in guest 110 of pve";
    why = "but a link leads to /home/radarr of the host, in rpool/ROOT/pve-1";
  }
  SECTION("the audit did not see the folder of an application") {
    scene.radarr_at("");
    place = "/data/radarr in guest 110 of pve";
    why = "but nobody has looked";
  }
  SECTION("something else is mounted below it") {
    scene.again("disks", disks_facts(R"(, {"disk": "sda", "kind": "mount",
      "name": "/boot, /tank/app/app/photos"})",
                                     R"(, {"point": "/tank/app/app/photos", "type": "ext4",
      "source": "/dev/sda2"})"));
    why = "/tank/app/app/photos below it is lost: on the disk os1";
  }
  SECTION("something else is mounted below it in the container") {
    scene.again("guests", guests_facts(R"(, {"vmid": 110, "key": "mp1", "storage": "local-zfs",
      "volume": "subvol-110-disk-1", "guestPath": "/data/app/cache"})"));
    why = "/data/app/cache below it is lost: in rpool/data/subvol-110-disk-1";
  }
  SECTION("another disk is mounted over the dataset") {
    scene.again("disks", disks_facts(R"(, {"disk": "sda", "kind": "mount", "name": "/tank/app"})",
                                     R"(, {"point": "/tank/app", "type": "ext4",
      "source": "/dev/sda2"})"));
    why = "on the disk os1 (OS1), which the installation overwrites, mounted on /tank/app";
  }
  SECTION("a folder of the system is bound there") {
    scene.again("disks", disks_facts("", R"(, {"point": "/tank/app", "type": "zfs",
      "source": "rpool/ROOT/pve-1"})"));
    why = "in rpool/ROOT/pve-1";
  }
  SECTION("what is mounted there is no disk of this machine") {
    scene.again("disks", disks_facts("", R"(, {"point": "/tank/app", "type": "nfs4",
      "source": "nas:/app"})"));
    why = "nas:/app (nfs4) is on no disk of this machine that the audit knows";
  }

  const auto fate = scene.of(place);

  CHECK(fate.ending == Ending::lost);
  CHECK_THAT(fate.why, Catch::Contains(why));
}

TEST_CASE("survival: a virtual machine survives with all its disks", "[controller][survival]") {
  Scene scene;
  const auto with_disks = [&](const std::string& disks) {
    scene.again("guests",
                R"({"auditGuests": {"guests": [{"vmid": 200, "name": "win", "type": "qemu"}],
      "disks": [)" + disks +
                    "], " + storages + "}}");
  };
  const auto* const on_data = R"({"vmid": 200, "key": "scsi0", "storage": "tank", "volume": "vm"})";
  with_disks(std::string(on_data) +
             R"(, {"vmid": 200, "key": "ide2", "volume": "none", "cdrom": true})");
  CHECK(scene.of("/ in guest 200 of pve").ending == Ending::survives);

  SECTION("another disk is on the system's") {
    with_disks(std::string(on_data) + R"(, {"vmid": 200, "key": "scsi1", "storage": "local-zfs",
      "volume": "subvol-110-disk-0"})");
    CHECK_THAT(scene.of("/ in guest 200 of pve").why, Catch::Contains("scsi1: in rpool/data"));
  }
  SECTION("another disk is handed through") {
    with_disks(R"({"vmid": 200, "key": "scsi1", "volume": "/dev/disk/by-id/ata-x"}, )" +
               std::string(on_data));
    CHECK_THAT(scene.of("/ in guest 200 of pve").why, Catch::Contains("is handed through"));
  }
  SECTION("nothing is known of its disks") {
    with_disks("");
    CHECK_THAT(scene.of("/ in guest 200 of pve").why, Catch::Contains("tells of no disk"));
  }
  CHECK(scene.of("/ in guest 200 of pve").ending == Ending::lost);
}

TEST_CASE("data.survives: a section of the audit that was not read whole counts as missing",
          "[controller][gates]") {
  Scene scene;
  scene.again("arr", R"({"auditArr": {"coverage": {"problems": [
    {"part": "guest 110", "why": "it is not running"}]}}})");

  const auto verdict = scene.verdict();

  REQUIRE_FALSE(verdict.findings.empty());
  CHECK(verdict.findings[0].subject == "arr of pve");
  CHECK(verdict.findings[0].why == "it was not read whole: guest 110: it is not running");
}

TEST_CASE("survival: what nobody can place is lost", "[controller][survival]") {
  const Scene scene;

  const auto fate = scene.of("configuration of bazarr (Docker: bazarr) in guest 110 of pve");

  CHECK(fate.ending == Ending::lost);
  CHECK(fate.thing.wanted);
  CHECK(fate.why == "the audit does not tell where it is");
}

TEST_CASE("survival: configuration is wanted by itself, and may be given up",
          "[controller][survival]") {
  const Scene scene;
  std::vector<std::string> wanted;
  for (const auto& fate : scene.fates())
    if (fate.thing.wanted && !fate.thing.given_up) wanted.push_back(fate.thing.place());

  CHECK(wanted == std::vector<std::string>{
                      "/root/notes of pve", "/data/app in guest 110 of pve", "/etc/pve of pve",
                      "/etc/network of pve", "/etc/wireguard of pve",
                      "/etc/proxmox-backup in guest 110 of pve", "/etc/pve/priv/storage of pve",
                      "/var/lib/sonarr in guest 110 of pve", "/data/radarr in guest 110 of pve",
                      "/srv/prowlarr of pve",
                      "configuration of bazarr (Docker: bazarr) in guest 110 of pve",
                      "/srv of pve"});
  CHECK(scene.of("/etc/cron.d/backup of pve").thing.given_up);
  CHECK(scene.of("/etc/cron.d/backup of pve").is_safe());
}

TEST_CASE("survival: an archive that was read back makes good a loss", "[controller][survival]") {
  Scene scene;
  scene.preserve(R"(["/etc/network", "/etc/pve"])");

  CHECK(scene.of("/etc/network of pve").ending == Ending::preserved);
  CHECK(scene.of("/etc/network of pve").origin);
  CHECK(scene.of("/etc/pve/priv/storage of pve").ending == Ending::preserved);
  CHECK(scene.of("/etc/wireguard of pve").ending == Ending::lost);
}

TEST_CASE("survival: an archive that has a path by its name only preserves nothing",
          "[controller][survival]") {
  Scene scene;
  scene.preserve(R"(["/root"])");
  const auto fate = [&] { return scene.of("/root/notes of pve"); };

  CHECK_THAT(fate().why, Catch::Contains("nobody has looked"));
  scene.look("/root/notes", 0, R"("why": "there is no /root/notes")");
  CHECK_THAT(fate().why, Catch::Contains("does not count: there is no /root/notes"));
  scene.look("/root/notes", 0, R"("real": "/home/notes")");
  CHECK_THAT(fate().why, Catch::Contains("it has a link that leads to /home/notes of the host"));
  scene.preserve(R"(["/root", "/home"])");
  CHECK(fate().ending == Ending::preserved);
  scene.look("/root/notes", 0, R"("real": "/root/notes")");
  scene.preserve(R"(["/root"])");
  CHECK(fate().ending == Ending::preserved);
}

TEST_CASE("survival: an archive of a container has not what its links lead to",
          "[controller][survival]") {
  Scene scene;
  scene.preserve(R"(["/var/lib"])", R"(, "vmid": 110)");
  const auto sonarr_at = [&](const std::string& real) {
    scene.again("arr", R"({"auditArr": {"apps": [{"app": "sonarr", "vmid": 110,
      "dataPath": "/var/lib/sonarr", "hostPath": ")" +
                           real + "\"}]}}");
    return scene.of("/var/lib/sonarr in guest 110 of pve").ending;
  };

  CHECK(sonarr_at("/rpool/data/subvol-110-disk-0/var/lib/sonarr") == Ending::preserved);
  CHECK(sonarr_at("/rpool/data/subvol-110-disk-0/opt/sonarr") == Ending::lost);
}

TEST_CASE("survival: a script that cron runs by a link is not in an archive of the link",
          "[controller][survival]") {
  Scene scene;
  const auto leads_to = [&](const std::string& real) {
    scene.again("schedules", R"({"auditSchedules": {"scripts": [{"folder": "/etc/cron.daily",
      "name": "backup", "runs": true, "real": ")" +
                                 real + "\"}]}}");
    return scene.of("/etc/cron.daily/backup of pve").ending;
  };
  scene.preserve(R"(["/etc"])");

  CHECK(leads_to("/etc/cron.daily/backup") == Ending::preserved);
  CHECK(leads_to("/usr/local/sbin/backup.sh") == Ending::lost);
}

TEST_CASE("survival: a program that a crontab names does not survive with the crontab",
          "[controller][survival]") {
  Scene scene;
  scene.again("schedules", R"({"auditSchedules": {"cronJobs": [
    {"source": "/etc/crontab", "user": "root", "command": "nice /opt/duckdns/duck.sh >/dev/null"}]}})");
  const auto fate = [&] { return scene.of("/opt/duckdns/duck.sh of pve"); };
  scene.preserve(R"(["/etc"])");

  CHECK(fate().ending == Ending::lost);
  CHECK(fate().thing.wanted);
  scene.preserve(R"(["/etc", "/opt"])");
  CHECK(fate().ending == Ending::preserved);
}

TEST_CASE("survival: of what lab.toml keeps and loses the longest path decides",
          "[controller][survival]") {
  std::string json(a_lab);
  const std::string from = R"({"path": "/etc/cron.d", "lose": true})";
  json.replace(json.find(from), from.size(),
               R"({"path": "/etc", "lose": true}, {"path": "/etc/pve"})");
  const Scene scene(json);

  CHECK(scene.of("/etc/network of pve").thing.given_up);
  CHECK_FALSE(scene.of("/etc/pve of pve").thing.given_up);
  CHECK_FALSE(scene.of("/etc/pve/priv/storage of pve").thing.given_up);
  CHECK_FALSE(scene.of("/root/notes of pve").thing.given_up);
}

TEST_CASE("survival: what has no path may be given up with its whole machine",
          "[controller][survival]") {
  std::string json(a_lab);
  const std::string from = R"({"path": "/etc/cron.d", "lose": true})";
  json.replace(json.find(from), from.size(), R"({"path": "/", "vmid": 110, "lose": true})");
  const Scene scene(json);

  CHECK(scene.of("configuration of bazarr (Docker: bazarr) in guest 110 of pve").thing.given_up);
  CHECK_FALSE(scene.of("/data/app in guest 110 of pve").thing.given_up);
  CHECK_FALSE(scene.of("/etc/pve of pve").thing.given_up);
}

TEST_CASE("survival: a pool that nobody declared is lost, though its disks are known",
          "[controller][survival]") {
  Scene scene;
  scene.again("zfs", R"({"auditZfs": {"pools": [{"name": "tank"}, {"name": "old"}],
    "datasets": [{"name": "old", "mountpoint": "/old", "mounted": true},
                 {"name": "old/vm-1-disk-0", "kind": "volume"}]}})");
  const auto old = [&] {
    return scene.of("pool 'old', which lab.toml does not declare as one of data of pve");
  };
  CHECK(old().thing.wanted);
  CHECK(old().ending == Ending::lost);

  scene.again("disks", disks_facts(R"(, {"disk": "sda", "kind": "zfs", "name": "old"})"));
  CHECK(old().thing.wanted);
  CHECK(old().supply ==
        "declare it in lab.toml with its disks as disks of data, or say with `lose = true` in "
        "[[keep]] of \"/zpool:old\" that it may be lost");
  // What is mounted there is not all that is in it.
  scene.preserve(R"(["/old"])");
  CHECK(old().ending == Ending::lost);
}

TEST_CASE("survival: a pool that may be lost may be lost with its datasets",
          "[controller][survival]") {
  std::string json(a_lab);
  const std::string from = R"({"path": "/etc/cron.d", "lose": true})";
  json.replace(json.find(from), from.size(), R"({"path": "/zpool:old", "lose": true})");
  Scene scene(json);
  scene.again("zfs", R"({"auditZfs": {"pools": [{"name": "tank"}, {"name": "old"}], "datasets": [
      {"name": "tank/app", "mountpoint": "/tank/app", "mounted": true},
      {"name": "old", "mountpoint": "/old", "mounted": true}]}})");

  CHECK(
      scene.of("pool 'old', which lab.toml does not declare as one of data of pve").thing.given_up);
  CHECK(scene.of("/old of pve").thing.given_up);
  CHECK_FALSE(scene.of("/tank/app of pve").thing.given_up);
}

TEST_CASE("survival: nobody can look into a virtual machine", "[controller][survival]") {
  const auto with_machine = [](std::string_view json, std::string_view storage) {
    Scene scene(json);
    scene.again("guests", fmt::format(R"({{"auditGuests": {{
        "guests": [{{"vmid": 120, "name": "docker", "type": "qemu"}}],
        "disks": [{{"vmid": 120, "key": "scsi0", "storage": "{}", "volume": "vm-120-disk-0"}}], {}}}}})",
                                      storage, storages));
    return scene.of("/ in guest 120 of pve");
  };
  const auto lost = with_machine(a_lab, "local-zfs");
  CHECK(lost.thing.wanted);
  CHECK(lost.ending == Ending::lost);
  CHECK_THAT(lost.supply, Catch::Contains("[[keep]] of \"/\" with vmid = 120"));

  CHECK(with_machine(a_lab, "tank").ending == Ending::survives);
  std::string json(a_lab);
  const std::string from = R"({"path": "/etc/cron.d", "lose": true})";
  json.replace(json.find(from), from.size(), R"({"path": "/", "vmid": 120, "lose": true})");
  CHECK(with_machine(json, "local-zfs").thing.given_up);
}

TEST_CASE("survival: what links in an archive lead to is not in it", "[controller][survival]") {
  Scene scene;
  const auto network_with = [&](const std::string& link, const std::string& target) {
    scene.preserve(R"(["/etc", "/usr/local"])", "",
                   fmt::format(R"(, "leads": [{{"path": "{}", "target": "{}"}}], "leadCount": "1")",
                               link, target));
    return scene.of("/etc/network of pve");
  };
  CHECK(network_with("/etc/other", "/opt/other").ending == Ending::preserved);
  CHECK(network_with("/etc/network", "/tank/app/network").ending == Ending::preserved);
  CHECK(network_with("/etc/network/interfaces", "/opt/interfaces").ending == Ending::lost);
  CHECK_THAT(network_with("/etc/network", "/opt/network").why,
             Catch::Contains("/etc/network in it is a link to /opt/network, which is not in it"));
  scene.preserve(R"(["/etc"])", "", R"(, "leadCount": "1001")");
  CHECK_THAT(scene.of("/etc/network of pve").why, Catch::Contains("too many to tell"));
}

TEST_CASE("survival: what leads out of an archive may be lost if its link may",
          "[controller][survival]") {
  std::string json(a_lab);
  const std::string from = R"({"path": "/etc/cron.d", "lose": true})";
  json.replace(json.find(from), from.size(), R"({"path": "/etc/network/old", "lose": true})");
  Scene scene(json);
  scene.preserve(R"(["/etc"])", "",
                 R"(, "leads": [{"path": "/etc/network/old", "target": "/opt/old"}],
                    "leadCount": "1")");
  CHECK(scene.of("/etc/network of pve").ending == Ending::preserved);
}

TEST_CASE("survival: a path that an archive names needs no look", "[controller][survival]") {
  Scene scene;
  scene.preserve(R"(["/root/notes"])");
  CHECK(scene.of("/root/notes of pve").ending == Ending::preserved);
}

TEST_CASE("survival: a pool that is not imported is in no archive, whatever its name",
          "[controller][survival]") {
  Scene scene;
  scene.again("zfs", R"({"auditZfs": {"pools": [{"name": "tank"}], "importable": [
    {"name": "old", "guid": "4"}, {"name": "tank", "guid": "5"}]}})");
  scene.preserve(R"(["/"])");

  const auto old = scene.of("pool 'old' (4), which is not imported of pve");
  CHECK(old.ending == Ending::lost);
  CHECK_THAT(old.supply, Catch::Contains("[[keep]] of \"/zpool:old\""));
  CHECK(scene.of("pool 'tank' (5), which is not imported of pve").ending == Ending::lost);
}

TEST_CASE("survival: a file system that somebody mounted may be preserved",
          "[controller][survival]") {
  Scene scene;
  CHECK(scene.of("/srv of pve").ending == Ending::lost);
  CHECK(scene.of("/srv of pve").why == "its disk WHO is not declared in lab.toml, mounted on /srv");

  scene.preserve(R"(["/srv"])");

  CHECK(scene.of("/srv of pve").ending == Ending::preserved);
}

TEST_CASE("losses: what the installer makes is no loss only in the pool of the root file system",
          "[controller][survival]") {
  Scene scene;
  scene.again("zfs", R"({"auditZfs": {"pools": [{"name": "tank"}, {"name": "rpool"},
    {"name": "old"}], "datasets": [{"name": "rpool/ROOT/pve-1"}, {"name": "rpool/data"},
    {"name": "old/ROOT/pve-1"}, {"name": "old/data"}]}})");

  const auto losses = undecided_losses(scene.evidences(), "pve");

  const auto of_host =
      std::ranges::find(losses, "pve", &std::pair<std::string, std::string>::first);
  REQUIRE(of_host != losses.end());
  CHECK(of_host->second == "dataset old/ROOT/pve-1, dataset old/data");
}

TEST_CASE("survival: the keys of a tunnel that lab.toml tells of must not be lost",
          "[controller][survival]") {
  std::string json(a_lab);
  json.replace(json.find(R"("keep":)"), 0, R"("guests": [{"name": "wg", "vmid": 110, "services": [
    {"kind": "wireguard", "path": "/etc/wireguard"}, {"kind": "grafana", "path": "/var/lib/grafana"}]}],
    )");
  const Scene scene(json);

  CHECK(scene.of("/etc/wireguard in guest 110 of pve").thing.wanted);
  CHECK_FALSE(scene.of("/var/lib/grafana in guest 110 of pve").thing.wanted);
}

TEST_CASE("survival: an old archive counts if nothing differs from it", "[controller][survival]") {
  Scene scene;
  const auto* const compared = GENERATE(R"(, "differingCount": "0")", R"(, "differingCount": "2")");

  scene.preserve(R"(["/etc/network"])", "",
                 std::string(R"(, "compared": true, "writtenAt": "1")") + compared);

  const bool same = std::string(compared).find("\"0\"") != std::string::npos;
  CHECK((scene.of("/etc/network of pve").ending == Ending::preserved) == same);
}

TEST_CASE("survival: a snapshot that is mounted lies on the pool of its dataset",
          "[controller][survival]") {
  Scene scene;
  const auto* const source = GENERATE("tank@daily", "tank/app@daily");
  scene.again("disks", disks_facts("", fmt::format(R"(, {{"point": "/tank/.zfs/snapshot/daily",
      "type": "zfs", "source": "{}"}})",
                                                   source)));
  const auto heard = hear_audit(scene.evidences(), "pve", hours(24));
  const Ground ground(scene.lab.reader(), "pve", heard.audit);

  const auto lot = ground.of_host_path("/tank/.zfs/snapshot/daily/photos");

  INFO(lot.why);
  CHECK(lot.survives);
  CHECK_FALSE(ground.lost_below_host("/tank"));
}

TEST_CASE("survival: an archive may leave out what may be lost", "[controller][survival]") {
  Scene scene;
  scene.preserve(R"(["/etc"])", R"(, "exclude": ["/etc/cron.d/backup"])");
  CHECK(scene.of("/etc/network of pve").ending == Ending::preserved);
  scene.look("/root/notes", 0, R"("real": "/root/notes")");
  scene.preserve(R"(["/root/notes"])", R"(, "exclude": ["/root/notes/cache"])");
  CHECK(scene.of("/root/notes of pve").ending == Ending::lost);

  std::string json(a_lab);
  json.replace(json.find(R"({"path": "/root/notes"})"), 23,
               R"({"path": "/root/notes"}, {"path": "/root/notes/cache", "lose": true})");
  Scene other(json);
  other.look("/root/notes", 0, R"("real": "/root/notes")");
  other.preserve(R"(["/root/notes"])", R"(, "exclude": ["/root/notes/cache"])");
  CHECK(other.of("/root/notes of pve").ending == Ending::preserved);
}

TEST_CASE("survival: an archive counts only if it is whole, fresh, of the right place, and safe",
          "[controller][survival]") {
  Scene scene;
  std::string why;
  SECTION("of a guest") {
    scene.preserve(R"(["/etc/network"])", R"(, "vmid": 110)");
    why = "lies on os1";
  }
  SECTION("without that part") {
    scene.preserve(R"(["/etc"])", R"(, "exclude": ["/etc/network/interfaces"])");
    why = "lies on os1";
  }
  SECTION("of a path that only begins alike") {
    scene.preserve(R"(["/etc/net"])");
    why = "lies on os1";
  }
  SECTION("not whole") {
    scene.preserve(R"(["/etc/network"])", "", R"(, "state": "other")");
    why = "it is not whole";
  }
  SECTION("not all was there") {
    scene.preserve(R"(["/etc/network"])", "", R"(, "missing": ["/etc/network"])");
    why = "some of its paths were not there";
  }
  SECTION("a file of it changed meanwhile") {
    scene.preserve(R"(["/etc/network"])", "", R"(, "changed": ["/etc/network/interfaces"])");
    why = "/etc/network/interfaces changed while it was read";
  }
  SECTION("empty") {
    scene.preserve(R"(["/etc/network"])", "", R"(, "entries": "0")");
    why = "it is empty";
  }
  SECTION("signed by somebody else") {
    scene.preserve(R"(["/etc/network"])", "", R"(, "signedBy": "00")");
    why = "not signed by the agent";
  }
  SECTION("on a disk that is overwritten") {
    scene.preserve(R"(["/etc/network"])", "", R"(, "diskSerial": "OS1")");
    why = "it is lost itself: on the disk os1";
  }
  SECTION("on a disk that nobody knows") {
    scene.preserve(R"(["/etc/network"])", "", R"(, "diskSerial": "")");
    why = "it is lost itself: its disk tells no serial number";
  }
  SECTION("on the pool of the system") {
    scene.preserve(R"(["/etc/network"])", "",
                   R"(, "fileSystem": "zfs", "device": "rpool/backups", "diskSerial": "")");
    why = "it is lost itself: the pool 'rpool'";
  }
  SECTION("written long ago") {
    scene.preserve(R"(["/etc/network"])", "", R"(, "writtenAt": "1")");
    why = "it was written";
  }
  SECTION("read back long ago") {
    scene.preserve(R"(["/etc/network"])");
    scene.records.now += hours(23);
    CHECK(scene.of("/etc/network of pve").ending == Ending::preserved);
    scene.records.now += hours(2);
    const auto heard = hear_audit(scene.evidences(), "pve", hours(48));
    for (const auto& fate : fates_on(scene.evidences(), "pve", heard.audit, hours(24)))
      if (fate.thing.path == "/etc/network") CHECK(fate.ending == Ending::lost);
    return;
  }
  SECTION("a later attempt failed") {
    scene.preserve(R"(["/etc/network"])");
    const auto task = task_number(++scene.last);
    scene.records.now += std::chrono::minutes(1);
    scene.records.order({.task = task,
                         .arm = "preserve",
                         .params = R"({"paths": ["/etc/network"], "folder": "/mnt/usb",
                                       "name": "net"})"},
                        scene.agent);
    must(scene.records.report({.task = task,
                               .outcome = schema::Outcome::FAILED,
                               .failure = "its bytes are not what was written"},
                              scene.agent));
    why = "a later attempt failed: its bytes are not what was written";
  }

  const auto fate = scene.of("/etc/network of pve");

  CHECK(fate.ending == Ending::lost);
  INFO(fate.why);
  CHECK(fate.why.find(why) != std::string::npos);
  CHECK(fate.supply == "relab run 0c");
}

TEST_CASE("data.survives: names everything that would be lost, and what would help",
          "[controller][gates]") {
  const Scene scene;

  const auto verdict = scene.verdict();

  CHECK_FALSE(verdict.met());
  const auto about = [&](const std::string& subject) {
    return std::ranges::find_if(verdict.findings, [&](const Finding& finding) {
      return finding.subject.starts_with(subject);
    });
  };
  REQUIRE(about("/etc/network of pve") != verdict.findings.end());
  CHECK(about("/etc/network of pve")->supply == "relab run 0c");
  CHECK(about("/etc/pve of pve")->supply.find("give a phase before it a step `preserve`") == 0);
  CHECK(about("/data/radarr") == verdict.findings.end());
  CHECK(about("/etc/cron.d") == verdict.findings.end());
}

TEST_CASE("data.survives: without an audit nothing is known to survive", "[controller][gates]") {
  Scene scene;
  scene.again("guests", "{\"auditGuests\": {}}");
  const auto task = scene.ordered("arr");
  must(scene.records.report({.task = task, .outcome = schema::Outcome::FAILED}, scene.agent));

  const auto verdict = scene.verdict();

  CHECK_FALSE(verdict.met());
  CHECK(std::ranges::any_of(verdict.findings, [](const Finding& finding) {
    return finding.subject == "arr of pve" && finding.standing == Standing::CONTRADICTED;
  }));
}

TEST_CASE("data.survives: is met once everything survives or was preserved",
          "[controller][gates]") {
  std::string json(a_lab);
  const std::string from = R"({"path": "/etc/cron.d", "lose": true})";
  json.replace(json.find(from), from.size(),
               from + R"(, {"path": "/root", "lose": true}, {"path": "/srv", "lose": true})");
  json.replace(json.find(R"({"path": "/root/notes"}, )"), 25, "");
  Scene scene(json);
  scene.again("arr", R"({"auditArr": {"apps": [
      {"app": "radarr", "vmid": 110, "dataPath": "/data/radarr",
       "hostPath": "/tank/app/radarr"}]}})");
  scene.again("pbs", R"({"auditPbs": {}})");
  scene.preserve(R"(["/etc/network", "/etc/pve", "/etc/wireguard"])");

  const auto verdict = scene.verdict();

  for (const auto& finding : verdict.findings) {
    INFO(finding.subject << ": " << finding.why);
    CHECK(finding.met());
  }
  CHECK(verdict.met());
}

}  // namespace relab::controller
