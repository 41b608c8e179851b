// Containers as they are declared.

#include "agent/kinds/guests/guest.h"

#include <algorithm>

#include "agent/kinds/guests/wishes.h"
#include "tests/support/must.h"
#include "tests/support/sim_guest.h"
#include "tests/support/sim_pve.h"

namespace relab::agent::guests {

namespace {

constexpr std::string_view a_container = R"({"name": "pbs", "vmid": 100,
  "template": "debian-12-standard", "storage": "local-zfs", "disk": "17179869184", "cores": 2,
  "memory": "2147483648", "bridge": "vmbr0", "tag": 10, "address": "10.42.10.10/24",
  "gateway": "10.42.10.1", "nesting": true, "onboot": true, "order": 3, "purpose": "Backups",
  "mounts": [{"source": "/datapool/pbs", "target": "/mnt/datastore", "pool": "datapool"}],
  "devices": [{"path": "/dev/dri/renderD128", "gid": 104}]})";

/// A Proxmox host with the template and the directory.
struct Scene {
  SimHost host;
  SimPve pve;

  Scene() {
    pve.templates = {{"debian-12-standard_12.2-1_amd64.tar.zst", "a"},
                     {"debian-12-standard_12.12-1_amd64.tar.zst", "b"},
                     {"debian-13-standard_13.6-1_amd64.tar.zst", "c"}};
    pve.install(host);
    host.directory("/datapool/pbs");
    mounts("30 1 0:27 / / rw - zfs rpool/ROOT rw\n31 1 0:28 / /datapool rw - zfs datapool rw\n");
  }
  void mounts(const std::string& table) { host.file("/proc/self/mountinfo", table); }

  /// What is still to be done.
  Result<std::vector<Change>> plan(const std::string& json = std::string(a_container)) {
    const auto params = must(Message<schema::Guest>::from_json(json));
    RELAB_TRY(const auto facts, Guest::observe(params.reader(), host));
    return Guest::plan(params.reader(), facts.reader());
  }
  std::vector<std::string> words(const std::string& json = std::string(a_container)) {
    std::vector<std::string> words;
    for (const auto& change : must(plan(json))) words.push_back(change.what);
    return words;
  }
  Result<void> apply(const std::string& json = std::string(a_container)) {
    RELAB_TRY(const auto changes, plan(json));
    for (const auto& change : changes) RELAB_CHECK(Guest::apply(change, host));
    return {};
  }
  Error refusal(const std::string& json = std::string(a_container)) {
    const auto changes = plan(json);
    REQUIRE_FALSE(changes);
    return changes.error();
  }
};

std::string with(const std::string& what, const std::string& instead) {
  std::string json(a_container);
  REQUIRE(json.find(what) != std::string::npos);
  return json.replace(json.find(what), what.size(), instead);
}

using Strings = std::vector<std::string>;

}  // namespace

TEST_CASE("guest: is made of the newest template, with all that is declared", "[agent][guests]") {
  Scene scene;

  CHECK(scene.words() ==
        Strings{"+ container 100 (pbs) of local:vztmpl/debian-12-standard_12.12-1_amd64.tar.zst: 2 "
                "cores, 2048 MiB, 16 GiB on local-zfs, 10.42.10.10/24 in VLAN 10; /datapool/pbs as "
                "/mnt/datastore"});
  must(scene.apply());

  const auto& made = scene.pve.containers.at(100);
  CHECK(made.description == "relab: pbs\nBackups");
  CHECK(made.settings.at("net0") ==
        "name=eth0,bridge=vmbr0,tag=10,ip=10.42.10.10/24,gw=10.42.10.1,hwaddr=BC:24:11:00:00:01,"
        "type=veth");
  CHECK(made.settings.at("mp0") == "/datapool/pbs,mp=/mnt/datastore");
  CHECK(made.settings.at("dev0") == "/dev/dri/renderD128,gid=104");
  CHECK(made.settings.at("unprivileged") == "1");
  CHECK(made.settings.at("features") == "nesting=1");
  CHECK(made.settings.at("startup") == "order=3");
  CHECK(made.settings.at("swap") == "0");
  CHECK(scene.words().empty());
}

TEST_CASE("guest: is changed by the smallest steps, and keeps what is its own", "[agent][guests]") {
  Scene scene;
  must(scene.apply());
  scene.pve.containers[100].settings["startup"] = "order=3,up=20";
  scene.pve.containers[100].settings["features"] = "fuse=1,nesting=1";
  scene.pve.containers[100].settings["mp1"] = "local-zfs:subvol-100-disk-1,mp=/srv,size=8G";
  scene.pve.write();
  CHECK(scene.words().empty());

  auto json = with(R"("cores": 2)", R"("cores": 4)");
  const auto change = [&](const std::string& what, const std::string& instead) {
    json.replace(json.find(what), what.size(), instead);
  };
  change(R"("order": 3)", R"("order": 5)");
  change(R"("tag": 10, "address": "10.42.10.10/24")", R"("tag": 20, "address": "10.42.20.10/24")");
  change(R"("17179869184")", R"("17179869185")");
  change(R"("target": "/mnt/datastore")", R"("target": "/mnt/datastore", "readOnly": true)");

  CHECK(scene.words(json) ==
        Strings{"~ cores: 2 -> 4", "~ startup: order=3,up=20 -> order=5,up=20",
                "~ net0: "
                "name=eth0,bridge=vmbr0,tag=10,ip=10.42.10.10/24,gw=10.42.10.1,hwaddr=BC:24:11:00:"
                "00:01,type=veth -> "
                "name=eth0,bridge=vmbr0,tag=20,ip=10.42.20.10/24,gw=10.42.10.1,hwaddr=BC:24:11:00:"
                "00:01,type=veth",
                "~ mp0: /datapool/pbs,mp=/mnt/datastore -> /datapool/pbs,mp=/mnt/datastore,ro=1",
                "~ root disk: 16G -> 17G"});
  must(scene.apply(json));
  CHECK(scene.words(json).empty());
}

TEST_CASE("guest: what waits for the next start is done, and told", "[agent][guests]") {
  Scene scene;
  must(scene.apply());
  scene.pve.containers[100].running = true;
  scene.pve.set_stays_pending = true;
  const auto json = with(R"("cores": 2)", R"("cores": 3)");
  must(scene.apply(json));

  const auto params = must(Message<schema::Guest>::from_json(json));
  const auto facts = must(Guest::observe(params.reader(), scene.host));
  CHECK(must(Guest::plan(params.reader(), facts.reader())).empty());
  REQUIRE(facts.reader().getWaiting().size() == 1);
  CHECK(view(facts.reader().getWaiting()[0]) == "cores");
  CHECK(Guest::notes(params.reader(), facts.reader()) ==
        Strings{"not in effect before the next start of container 100 (pbs): cores (guest_power "
                "with `apply_waiting` restarts it)"});

  scene.pve.containers[100].running = false;
  const auto stopped = must(Guest::observe(params.reader(), scene.host));
  CHECK(Guest::notes(params.reader(), stopped.reader()).empty());
}

TEST_CASE("guest: cards of a person's that are kept to no VLAN are told", "[agent][guests]") {
  Scene scene;
  must(scene.apply());
  auto& settings = scene.pve.containers[100].settings;
  settings["net1"] = "name=eth1,bridge=vmbr0,tag=20";
  settings["net2"] = "name=eth2,bridge=vmbr0,ip=10.42.20.9/24";
  settings["net3"] = "name=eth3,bridge=vmbr0,trunks=20;30";
  scene.pve.write();

  const auto params = must(Message<schema::Guest>::from_json(std::string(a_container)));
  const auto facts = must(Guest::observe(params.reader(), scene.host));

  CHECK(must(Guest::plan(params.reader(), facts.reader())).empty());
  CHECK(Guest::notes(params.reader(), facts.reader()) ==
        Strings{"net2 of container 100 (pbs) has no VLAN tag: where vmbr0 knows VLANs, it can join "
                "every one"});
}

TEST_CASE("guest: a mount is the same with a slash at its end", "[agent][guests]") {
  Scene scene;
  must(scene.apply());
  auto& settings = scene.pve.containers[100].settings;
  REQUIRE(settings["mp0"] == "/datapool/pbs,mp=/mnt/datastore");
  settings["mp0"] = "/datapool/pbs/,mp=/mnt/datastore/";
  scene.pve.write();

  CHECK(scene.words().empty());
}

TEST_CASE("guest: what has to wait for the next start is said before it is done",
          "[agent][guests]") {
  Scene scene;
  must(scene.apply());
  const auto json =
      with(R"("nesting": true, "onboot": true)", R"("onboot": false, "keyctl": true)");
  CHECK(scene.words(json) == Strings{"~ onboot: 1 -> 0", "~ features: nesting=1 -> keyctl=1"});

  scene.pve.containers[100].running = true;
  CHECK(scene.words(json) ==
        Strings{"~ onboot: 1 -> 0",
                "~ features: nesting=1 -> keyctl=1 (at its next start: guest_power "
                "with `apply_waiting`)"});
}

TEST_CASE("guest: a new device of what runs waits for the next start before Proxmox 9",
          "[agent][guests]") {
  Scene scene;
  must(scene.apply());
  scene.pve.containers[100].running = true;

  CHECK(scene.words(with(R"("gid": 104})", R"("gid": 104}, {"path": "/dev/dri/card1"})")) ==
        Strings{"+ dev1: /dev/dri/card1 (before Proxmox 9 at its next start: guest_power with "
                "`apply_waiting`)"});
}

TEST_CASE("guest: what is wanted no more is taken away", "[agent][guests]") {
  Scene scene;
  must(scene.apply());
  const auto json = with(R"("nesting": true)", R"("nesting": false)");

  CHECK(scene.words(json) == Strings{"- features: nesting=1"});
  must(scene.apply(json));
  CHECK(scene.words(json).empty());
}

TEST_CASE("guest: what pct says that it did is looked at", "[agent][guests]") {
  Scene scene;
  must(scene.apply());
  SECTION("set") {
    scene.pve.set_does_nothing = true;
    const auto json = with(R"("cores": 2)", R"("cores": 3)");
    must(scene.apply(json));
    CHECK(scene.words(json) == Strings{"~ cores: 2 -> 3"});
  }
  SECTION("resize") {
    scene.pve.resize_does_nothing = true;
    const auto json = with(R"("17179869184")", R"("34359738368")");
    must(scene.apply(json));
    CHECK(scene.words(json) == Strings{"~ root disk: 16G -> 32G"});
  }
}

TEST_CASE("guest: a lock of Proxmox is waited for, and not for ever", "[agent][guests]") {
  Scene scene;
  scene.pve.locked_for = 3;
  CHECK(scene.apply());
  CHECK(scene.pve.containers.contains(100));

  scene.pve.locked_for = 1000;
  const auto locked = scene.apply(with(R"("cores": 2)", R"("cores": 3)"));
  REQUIRE_FALSE(locked);
  CHECK(locked.error().fault == Fault::busy);
  CHECK(locked.error().what == "container 100 stayed locked: CT is locked (backup)");
}

TEST_CASE("guest: an error of pct is told in its words", "[agent][guests]") {
  Scene scene;
  scene.pve.refusal = "storage 'local-zfs' does not exist";

  const auto failed = scene.apply();

  REQUIRE_FALSE(failed);
  CHECK(failed.error().what ==
        "'pct create 100' ended with 255: storage 'local-zfs' does not exist");
  CHECK_THAT(failed.error().hint, Catch::Contains("task log"));
}

TEST_CASE("guest: never destroys or shrinks", "[agent][guests]") {
  Scene scene;
  must(scene.apply());
  auto& made = scene.pve.containers[100];

  CHECK(scene.words(with(R"("17179869184")", R"("8589934592")")).empty());
  CHECK(scene.refusal(with(R"("nesting")", R"("privileged": true, "nesting")")).what ==
        "container 100 (pbs) is unprivileged, and that cannot be changed");
  made.running = true;
  CHECK_THAT(scene.refusal(with(R"("2147483648")", R"("1073741824")")).what,
             Catch::Contains("it is not taken away from what runs"));
  made.running = false;
  CHECK(scene.words(with(R"("2147483648")", R"("1073741824")")) ==
        Strings{"~ memory: 2048 -> 1024"});
  made.settings["mp0"] = "local-zfs:subvol-100-disk-1,mp=/mnt/datastore,size=8G";
  scene.pve.write();
  CHECK_THAT(scene.refusal().what, Catch::Contains("is the volume local-zfs:subvol-100-disk-1"));
}

TEST_CASE("guest: one that relab did not make is left alone unless asked for", "[agent][guests]") {
  Scene scene;
  must(scene.apply());
  scene.pve.containers[100].description = "the old backup server";
  scene.pve.write();
  CHECK(scene.refusal().fault == Fault::refused);

  const auto adopting = with(R"("vmid": 100)", R"("vmid": 100, "adopt": true)");
  CHECK(scene.words(adopting) == Strings{"~ its description says that it is relab's 'pbs', above "
                                         "what it said before"});

  scene.pve.containers[100].description = "relab: other";
  scene.pve.write();
  CHECK(scene.refusal(adopting).what == "the container 100 was made as 'other'");
}

TEST_CASE("guest: what a person wrote into the description stays, once", "[agent][guests]") {
  Scene scene;
  must(scene.apply());
  auto& description = scene.pve.containers[100].description;
  description = "the old backup server\n\nask Anna: 100 % hers\n";
  scene.pve.write();
  const auto adopting = with(R"("vmid": 100)", R"("vmid": 100, "adopt": true)");

  must(scene.apply(adopting));
  CHECK(description == "relab: pbs\nBackups\n\nthe old backup server\n\nask Anna: 100 % hers");
  CHECK(scene.words(adopting).empty());
  must(scene.apply(adopting));
  CHECK(scene.words().empty());

  const auto renamed = with(R"("Backups")", R"("Copies\nof all")");
  CHECK(scene.words(renamed) == Strings{"~ purpose: Backups -> Copies of all"});
  must(scene.apply(renamed));
  CHECK(description ==
        "relab: pbs\nCopies of all\n\nthe old backup server\n\nask Anna: 100 % hers");
  CHECK(scene.words(renamed).empty());
  // Who declares none changes none.
  CHECK(scene.words(with(R"("Backups")", R"("")")).empty());
}

TEST_CASE("guest: a root disk on another storage is a person's to move", "[agent][guests]") {
  Scene scene;
  must(scene.apply());

  const auto error = scene.refusal(with(R"("local-zfs")", R"("tank-guests")"));

  CHECK(error.fault == Fault::refused);
  CHECK(error.what ==
        "the root disk of container 100 (pbs) is local-zfs:subvol-100-disk-0, and not on the "
        "storage 'tank-guests'");
  CHECK_THAT(error.hint, Catch::Contains("pct move-volume 100 rootfs tank-guests"));
}

TEST_CASE("guest: one that is half made is a person's to remove", "[agent][guests]") {
  Scene scene;
  scene.pve.containers[100] = {.settings = {{"lock", "create"}, {"hostname", "pbs"}}};
  scene.pve.write();

  CHECK_THAT(scene.refusal().what, Catch::Contains("is half made"));
}

TEST_CASE("guest: a virtual machine of that number is left alone", "[agent][guests]") {
  Scene scene;
  scene.host.file("/etc/pve/nodes/pve/qemu-server/100.conf", "name: win\n");
  scene.host.answer("pvesh get /nodes/localhost/qemu --output-format json",
                    {.out = R"([{"vmid": 100, "name": "win", "status": "stopped"}])"});

  CHECK(scene.refusal().what == "100 is a virtual machine");
}

TEST_CASE("guest: nothing is bound that is not there now", "[agent][guests]") {
  Scene scene;
  SECTION("the pool is not mounted: its empty folder is on the system's disk") {
    scene.mounts("30 1 0:27 / / rw - zfs rpool/ROOT rw\n");
    CHECK(scene.refusal().what ==
          "/datapool/pbs is not on the pool 'datapool' now: it is not mounted, or not unlocked");
  }
  SECTION("another pool is mounted there") {
    scene.mounts(
        "30 1 0:27 / / rw - zfs rpool/ROOT rw\n31 1 0:28 / /datapool rw - zfs datapool2 rw\n");
    CHECK(scene.refusal().fault == Fault::refused);
  }
  SECTION("there is no such directory") {
    scene.host.remove("/datapool/pbs");
    CHECK(scene.refusal().what == "there is no directory /datapool/pbs on the host");
  }
}

TEST_CASE("guest: tells what a bind mount leaves out", "[agent][guests]") {
  Scene scene;
  scene.mounts(
      "30 1 0:27 / / rw - zfs rpool/ROOT rw\n31 1 0:28 / /datapool rw - zfs datapool rw\n"
      "32 1 0:29 / /datapool/pbs/ns rw - zfs datapool/pbs/ns rw\n");

  CHECK_THAT(
      scene.words().at(0),
      Catch::EndsWith("(without /datapool/pbs/ns, mounted below it: give each its own mount)"));
}

TEST_CASE("guest: without a template there is nothing to make it of", "[agent][guests]") {
  Scene scene;
  CHECK(scene.refusal(with("debian-12-standard", "debian-14")).what ==
        "there is no template 'debian-14*' on the storage 'local'");
}

TEST_CASE("guest: a task that leaves out what no container can be without is no task",
          "[agent][guests]") {
  Scene scene;
  for (const auto* part : {R"("vmid": 100,)", R"("tag": 10,)", R"("cores": 2,)"})
    CHECK(scene.refusal(with(part, "")).fault == Fault::invalid);
}

TEST_CASE("guest: what is no Proxmox host makes no containers", "[agent][guests]") {
  SimHost host;
  const auto params = must(Message<schema::Guest>::from_json(a_container));

  const auto facts = Guest::observe(params.reader(), host);

  REQUIRE_FALSE(facts);
  CHECK(facts.error().fault == Fault::unsupported);
}

}  // namespace relab::agent::guests
