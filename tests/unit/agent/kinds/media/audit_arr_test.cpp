#include "agent/kinds/media/audit_arr.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "agent/kinds/media/root_folders.h"
#include "tests/support/must.h"
#include "tests/support/sim_guest.h"

namespace relab::agent::media {

namespace {

using Facts = schema::AuditArr::Facts;

std::string sample(const std::string& name) {
  std::ifstream file(std::string(RELAB_TEST_DATA) + "/" + name);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

Message<Facts> observe(Host& host) {
  const auto params = must(Message<schema::AuditArr>::from_json("{}"));
  return must(AuditArr::observe(params.reader(), host));
}

Facts::Reader of(const Message<Facts>& message) { return message.reader(); }

std::vector<std::string> problems(const Message<Facts>& message) {
  std::vector<std::string> texts;
  for (auto gap : of(message).getCoverage().getProblems())
    texts.push_back(str(gap.getPart()) + ": " + str(gap.getWhy()));
  return texts;
}

auto path_of(const Message<Facts>& message, std::string_view purpose, std::string_view path) {
  for (auto row : of(message).getPaths())
    if (view(row.getPurpose()) == purpose && view(row.getPath()) == path) return row;
  FAIL("there is no " << purpose << " " << path);
  return of(message).getPaths()[0];
}

constexpr auto rows = R"([{"Path":"/media/tv"},
{"Path":"/media/anime"},
{"Path":null}]
)";

/// sqlite3 that knows of one database by its URI.
void add_sqlite(SimHost& host, const std::string& uri) {
  host.program("sqlite3", [uri](const Command& command) -> Result<Output> {
    const auto& argv = command.argv;
    const bool careful = std::ranges::find(argv, "-readonly") != argv.end();
    if (careful && argv[argv.size() - 2] == uri) return Output{.out = rows};
    return Output{.status = 1, .err = "Error: unable to open database file\n"};
  });
}

/// Proxmox with one container, 130, in this state.
void add_container(SimHost& host, const std::string& state) {
  host.link("/etc/pve/local", "nodes/pve");
  mount(host, {"/"});
  host.file("/etc/pve/nodes/pve/lxc/130.conf", sample("pve/130.conf"));
  host.answer("pvesh get /nodes/localhost/lxc --output-format json",
              {.out = R"([{"vmid": 130, "status": ")" + state + R"("}])"});
}

void add_sonarr(SimHost& host, const std::string& root = "") {
  host.file(root + "/etc/hostname", "sonarr\n");
  host.file(root + "/var/lib/sonarr/config.xml", sample("services/arr/config.sonarr.xml"));
  host.file(root + "/var/lib/sonarr/sonarr.db", "SQLite format 3");
  host.file(root + "/etc/systemd/system/sonarr.service",
            "[Service]\nExecStart=/opt/Sonarr/Sonarr -nobrowser -data=/var/lib/sonarr/\n");
}

void run_sonarr(SimHost& host, const std::string& cgroup) {
  using namespace std::string_literals;
  host.file("/proc/77/cmdline", "/opt/Sonarr/Sonarr\0-nobrowser\0-data=/var/lib/sonarr/\0"s);
  host.file("/proc/77/cgroup", cgroup);
}

}  // namespace

TEST_CASE("arr: Sonarr on the machine itself is found with its root folders", "[agent][arr]") {
  SimHost host;
  add_sonarr(host);
  run_sonarr(host, "0::/system.slice/sonarr.service\n");
  host.file("/tank/media/tv/x", "");
  host.link("/media", "/tank/media");
  add_sqlite(host, "file:/var/lib/sonarr/sonarr.db?mode=ro&immutable=1");

  const auto message = observe(host);

  CHECK(problems(message).empty());
  REQUIRE(of(message).getApps().size() == 1);
  const auto app = of(message).getApps()[0];
  CHECK(view(app.getApp()) == "sonarr");
  CHECK(view(app.getPlace()) == "this machine");
  CHECK(app.getRunning());
  CHECK(view(app.getUnit()) == "sonarr.service");
  CHECK(view(app.getConfigFile()) == "/var/lib/sonarr/config.xml");
  CHECK(app.getPort() == 8989);
  CHECK(view(path_of(message, "root folder", "/media/tv").getHostPath()) == "/tank/media/tv");
  CHECK(view(path_of(message, "root folder", "/media/anime").getHostPath()).empty());
  CHECK_THAT(message.to_json(), !Catch::Contains("0123456789abcdef"));
}

TEST_CASE("arr: a root folder that is gone is told; one that cannot be looked at is a problem",
          "[agent][arr]") {
  SimHost host;
  add_sonarr(host);
  host.file("/media/tv/x", "");
  host.broken("/media/tv", {.fault = Fault::damaged, .what = "/media/tv: Input/output error"});
  add_sqlite(host, "file:/var/lib/sonarr/sonarr.db?mode=ro&immutable=1");

  const auto message = observe(host);

  const auto absent = of(message).getCoverage().getParts();
  CHECK(any_in(absent, [](auto gap) {
    return view(gap.getPart()) == "/media/anime of sonarr on this machine";
  }));
  CHECK(problems(message) ==
        std::vector<std::string>{
            "/media/tv of sonarr on this machine: /media/tv: Input/output error"});
}

TEST_CASE("arr: a running container is looked into, and its paths are told of the host",
          "[agent][arr]") {
  SimHost guest;
  add_sonarr(guest);
  run_sonarr(guest, "0::/system.slice/sonarr.service\n");
  SimHost host;
  add_container(host, "running");
  host.program("pct", containers({{"130", &guest}}));
  host.answer("pvesm path local-zfs:subvol-130-disk-0", {.out = "/rpool/data/subvol-130-disk-0\n"});
  add_sonarr(host, "/rpool/data/subvol-130-disk-0");
  host.file("/rpool/data/subvol-130-disk-0/var/lib/sonarr/sonarr.db-wal", "x");
  host.file("/rpool/data/subvol-130-disk-0/var/lib/sonarr/sonarr.db-shm", "x");
  host.file("/tank/media/tv/x", "");
  add_sqlite(host,
             "file:/rpool/data/subvol-130-disk-0/var/lib/sonarr/"
             "sonarr.db?mode=ro&readonly_shm=1");
  // The host sees the container's processes, too.
  run_sonarr(host, "0::/lxc/130/ns/system.slice/sonarr.service\n");

  const auto message = observe(host);

  CHECK(problems(message).empty());
  REQUIRE(of(message).getApps().size() == 1);
  const auto app = of(message).getApps()[0];
  CHECK(view(app.getPlace()) == "container 130 (sonarr)");
  CHECK(app.getVmid() == 130);
  CHECK(app.getRunning());
  CHECK(view(app.getHostPath()) == "/rpool/data/subvol-130-disk-0/var/lib/sonarr");
  CHECK(view(path_of(message, "root folder", "/media/tv").getHostPath()) == "/tank/media/tv");
}

TEST_CASE("arr: a root folder on a file system that its bind mount does not show is a problem",
          "[agent][arr]") {
  SimHost host;
  add_container(host, "stopped");
  host.answer("pvesm path local-zfs:subvol-130-disk-0", {.out = "/rpool/subvol\n"});
  add_sonarr(host, "/rpool/subvol");
  host.file("/tank/media/tv/x", "");
  mount(host, {"/", "/tank/media", "/tank/media/tv"});
  add_sqlite(host, "file:/rpool/subvol/var/lib/sonarr/sonarr.db?mode=ro&immutable=1");

  const auto message = observe(host);

  CHECK(view(path_of(message, "root folder", "/media/tv").getHostPath()).empty());
  CHECK(problems(message) ==
        std::vector<std::string>{
            "/media/tv of sonarr on container 130 (sonarr): /media/tv is on /tank/media/tv, which "
            "a bind mount of /tank/media does not show: the container sees an empty folder there"});
}

TEST_CASE("arr: a database that this machine has other files in place of is read inside",
          "[agent][arr]") {
  SimHost guest;
  add_sonarr(guest);
  guest.file("/usr/bin/sqlite3", "");
  add_sqlite(guest, "file:/var/lib/sonarr/sonarr.db?mode=ro&immutable=1");
  SimHost host;
  add_container(host, "running");
  host.program("pct", containers({{"130", &guest}}));
  host.answer("pvesm path local-zfs:subvol-130-disk-0", {.out = "/rpool/subvol\n"});
  add_sonarr(host, "/rpool/subvol");
  mount(host, {"/", "/rpool/subvol", "/rpool/subvol/var/lib"});

  const auto message = observe(host);

  CHECK(path_of(message, "root folder", "/media/tv").getVmid() == 130);
  REQUIRE(of(message).getApps().size() == 1);
  CHECK(view(of(message).getApps()[0].getHostPath()).empty());
  REQUIRE_FALSE(problems(message).empty());
  CHECK_THAT(problems(message)[0], Catch::Contains("is on /rpool/subvol/var/lib"));
}

TEST_CASE("arr: a container on a block volume is read by its own sqlite3", "[agent][arr]") {
  SimHost guest;
  add_sonarr(guest);
  guest.file("/usr/bin/sqlite3", "");
  add_sqlite(guest, "file:/var/lib/sonarr/sonarr.db?mode=ro&immutable=1");
  SimHost host;
  add_container(host, "running");
  host.program("pct", containers({{"130", &guest}}));
  host.answer("pvesm path local-zfs:subvol-130-disk-0", {.out = "/dev/pve/vm-130-disk-0\n"});
  host.device("/dev/pve/vm-130-disk-0", {.type = FileType::block});

  const auto message = observe(host);

  CHECK(problems(message).empty());
  CHECK(path_of(message, "root folder", "/media/tv").getVmid() == 130);
}

TEST_CASE("arr: without any sqlite3 the root folders are a problem that names the package",
          "[agent][arr]") {
  SimHost host;
  add_sonarr(host);

  const auto message = observe(host);

  CHECK(of(message).getApps().size() == 1);
  REQUIRE(problems(message).size() == 1);
  CHECK_THAT(problems(message)[0], Catch::Contains("root folders of sonarr") &&
                                       Catch::Contains("install the package sqlite3"));
}

TEST_CASE("arr: a database whose log has no index is left alone", "[agent][arr]") {
  SimHost host;
  add_sonarr(host);
  host.file("/var/lib/sonarr/sonarr.db-wal", "log");
  add_sqlite(host, "file:/var/lib/sonarr/sonarr.db?mode=ro&immutable=1");

  const auto message = observe(host);

  REQUIRE(problems(message).size() == 1);
  CHECK_THAT(problems(message)[0], Catch::Contains("reading it would change it"));
  CHECK(host.ran().size() == 1);  // Docker's only
}

TEST_CASE("arr: a stopped container is read where its files lie", "[agent][arr]") {
  SimHost host;
  add_container(host, "stopped");
  const bool mounted = GENERATE(true, false);
  const std::string root = mounted ? "/var/lib/lxc/130/rootfs" : "/rpool/data/subvol-130-disk-0";
  if (!mounted)
    host.answer("pvesm path local-zfs:subvol-130-disk-0",
                {.out = "/rpool/data/subvol-130-disk-0\n"});
  add_sonarr(host, root);
  host.directory("/tank/media");
  add_sqlite(host, "file:" + root + "/var/lib/sonarr/sonarr.db?mode=ro&immutable=1");

  const auto message = observe(host);

  CHECK(problems(message).empty());
  REQUIRE(of(message).getApps().size() == 1);
  CHECK_FALSE(of(message).getApps()[0].getRunning());
  CHECK(view(of(message).getApps()[0].getHostPath()) == root + "/var/lib/sonarr");
}

TEST_CASE("arr: a stopped container that cannot be seen is a problem with a way out",
          "[agent][arr]") {
  SimHost host;
  add_container(host, "stopped");
  const auto path = GENERATE(Output{.out = "/dev/pve/vm-130-disk-0\n"},
                             Output{.out = "/rpool/data/subvol-130-disk-0\n"}, Output{.out = "\n"},
                             Output{.status = 1, .err = "no such storage\n"});
  host.answer("pvesm path local-zfs:subvol-130-disk-0", path);
  host.device("/dev/pve/vm-130-disk-0", {.type = FileType::block});
  host.directory("/rpool/data/subvol-130-disk-0");
  host.directory("/tank/media");

  const auto message = observe(host);

  REQUIRE(problems(message).size() == 1);
  CHECK_THAT(problems(message)[0], Catch::StartsWith("container 130 (sonarr)") &&
                                       Catch::Contains("pct mount 130") &&
                                       Catch::Contains("pct unmount 130"));
  CHECK(of(message).getCoverage().getAbsent().size() == 0);
}

TEST_CASE("arr: a container that cannot be looked into is a problem", "[agent][arr]") {
  SimHost host;
  add_container(host, "running");
  host.program("pct", Output{.status = 255, .err = "container '130' not running!\n"});

  CHECK(problems(observe(host)).size() == 1);
}

TEST_CASE("arr: a VM is not looked into and said so, with advice if its name matters",
          "[agent][arr]") {
  SimHost host;
  const bool suspect = GENERATE(true, false);
  host.link("/etc/pve/local", "nodes/pve");
  host.file("/etc/pve/nodes/pve/qemu-server/200.conf",
            std::string("name: ") + (suspect ? "arr-stack" : "homeassistant") + "\n");
  host.answer("pvesh get /nodes/localhost/lxc --output-format json", {.out = "[]"});

  const auto message = observe(host);

  CHECK(problems(message).empty());
  CHECK(any_in(of(message).getCoverage().getParts(), [&](auto gap) {
    const bool advice = view(gap.getWhy()).find("backup of the whole VM") != std::string_view::npos;
    return view(gap.getPart()).find("VM 200") != std::string_view::npos && advice == suspect;
  }));
}

TEST_CASE("arr: a machine without any of it says so", "[agent][arr]") {
  SimHost host;

  const auto message = observe(host);

  CHECK_THAT(str(of(message).getCoverage().getAbsent()), Catch::StartsWith("no Sonarr"));
  CHECK(problems(message).empty());
}

TEST_CASE("arr: a Docker container's paths are told inside, outside and of the host",
          "[agent][arr]") {
  SimHost guest;
  guest.file("/usr/bin/docker", "");
  guest.answer("docker ps --all --quiet --no-trunc", {.out = "a1\n"});
  guest.answer("docker inspect --type container a1", {.out = R"([{"Id": "a1", "Name": "/tv",
      "State": {"Status": "running"},
      "Config": {"Image": "lscr.io/linuxserver/sonarr:4", "Env": ["SONARR__AUTH__APIKEY=canary"],
        "Labels": {"build_version": "4.0.15"}},
      "Mounts": [{"Type": "bind", "Source": "/srv/sonarr", "Destination": "/config", "RW": true},
        {"Type": "bind", "Source": "/media/series", "Destination": "/media", "RW": true}],
      "NetworkSettings": {"Ports": {"8989/tcp": [{"HostIp": "0.0.0.0", "HostPort": "18989"}]}}}])"});
  guest.file("/srv/sonarr/config.xml", sample("services/arr/config.sonarr.xml"));
  guest.file("/srv/sonarr/sonarr.db", "");
  SimHost host;
  add_container(host, "running");
  host.program("pct", containers({{"130", &guest}}));
  host.answer("pvesm path local-zfs:subvol-130-disk-0", {.out = "/rpool/subvol\n"});
  host.file("/rpool/subvol/srv/sonarr/sonarr.db", "");
  host.file("/tank/media/series/tv/x", "");
  add_sqlite(host, "file:/rpool/subvol/srv/sonarr/sonarr.db?mode=ro&immutable=1");

  const auto message = observe(host);

  CHECK(problems(message).empty());
  REQUIRE(of(message).getApps().size() == 1);
  const auto app = of(message).getApps()[0];
  CHECK(view(app.getContainer()) == "tv");
  CHECK(view(app.getDataPath()) == "/config");
  CHECK(view(app.getConfigFile()) == "/srv/sonarr/config.xml");
  CHECK(app.getPublishedPort() == 18989);
  CHECK(view(app.getVersion()) == "4.0.15");
  const auto folder = path_of(message, "root folder", "/media/tv");
  CHECK(view(folder.getPlacePath()) == "/media/series/tv");
  CHECK(view(folder.getHostPath()) == "/tank/media/series/tv");
  CHECK_THAT(message.to_json(), !Catch::Contains("canary"));
}

TEST_CASE("arr: Docker in a stopped container is read from the disk", "[agent][arr]") {
  SimHost host;
  add_container(host, "stopped");
  const std::string root = "/var/lib/lxc/130/rootfs";
  host.directory(root + "/etc");
  host.file(root + "/var/lib/docker/containers/a1/config.v2.json",
            R"({"ID": "a1", "Name": "/prowlarr", "State": {"Running": true},
                "Config": {"Image": "hotio/prowlarr", "Env": ["KEY=canary"]},
                "MountPoints": {"/config": {"Type": "bind", "Source": "/opt/p", "RW": true}}})");
  host.file(root + "/opt/p/config.xml", sample("services/arr/config.prowlarr.xml"));

  const auto message = observe(host);

  CHECK(problems(message).empty());
  REQUIRE(of(message).getApps().size() == 1);
  CHECK_FALSE(of(message).getApps()[0].getRunning());
  CHECK(of(message).getApps()[0].getPort() == 9696);
}

TEST_CASE("arr: a Docker container without its configuration in a mount is a problem",
          "[agent][arr]") {
  SimHost host;
  host.answer("docker ps --all --quiet --no-trunc", {.out = "a1\n"});
  host.answer("docker inspect --type container a1",
              {.out = R"([{"Id": "a1", "Name": "/r", "Config": {"Image": "radarr"}}])"});

  const auto message = observe(host);

  REQUIRE(problems(message).size() == 1);
  CHECK_THAT(problems(message)[0], Catch::Contains("lost with the container"));
  CHECK(of(message).getApps().size() == 1);
}

TEST_CASE("arr: a unit or process without a configuration is a problem", "[agent][arr]") {
  using namespace std::string_literals;
  SimHost host;
  if (GENERATE(true, false)) {
    host.file("/usr/lib/systemd/system/radarr.service",
              "[Service]\nExecStart=/opt/Radarr/Radarr -data=/data/radarr\n");
    host.link("/lib", "usr/lib");
  } else {
    host.file("/proc/5/cmdline", "/usr/bin/mono\0/opt/Radarr/Radarr.exe\0-data=/data/radarr\0"s);
    host.file("/proc/5/cgroup", "0::/user.slice\n");
  }

  const auto message = observe(host);

  REQUIRE(problems(message).size() == 1);
  CHECK_THAT(problems(message)[0], Catch::StartsWith("radarr on this machine") &&
                                       Catch::Contains("/data/radarr/config.xml"));
}

TEST_CASE("arr: no secret of any application reaches facts or errors", "[agent][arr]") {
  SimHost host;
  host.file("/home/m/.config/qBittorrent/qBittorrent.conf",
            "[Preferences]\nWebUI\\Port=8080\nWebUI\\Password_PBKDF2=canary\n");
  host.file("/etc/sabnzbd/sabnzbd.ini", "[misc]\nport = 8081\napi_key = canary\ncanary\n");
  host.file("/var/lib/radarr/config.xml", "<Config><ApiKey>canary</ApiKey><Port>canary");
  host.file("/root/.config/Jackett/ServerConfig.json", R"({"APIKey": "canary", )");
  host.file("/opt/bazarr/data/config/config.yaml", "auth:\n  apikey: canary\ncanary\n");
  host.file("/etc/nzbget.conf", "ControlPort=6789\nControlPassword=canary\n");

  const auto message = observe(host);

  CHECK(of(message).getApps().size() == 6);
  CHECK(problems(message).size() == 4);
  CHECK_THAT(message.to_json(), !Catch::Contains("canary"));
}

TEST_CASE("arr: another program's config.xml is passed over", "[agent][arr]") {
  SimHost host;
  host.file("/home/m/.config/syncthing/config.xml", "<configuration version=\"37\"/>");
  host.file("/var/lib/other/config.xml", "no XML at all");

  const auto message = observe(host);

  CHECK(of(message).getApps().size() == 0);
  CHECK(problems(message).empty());
}

TEST_CASE("root folders: an answer that is cut off is an error, an empty table is none",
          "[agent][arr]") {
  CHECK(must(parse_root_folders("[{\"Path\":null}]")).empty());
  CHECK(must(parse_root_folders(rows)) == std::vector<std::string>{"/media/tv", "/media/anime"});
  const auto bad = GENERATE("", "[]", "[{\"Path\":\"/media/tv\"}]", "{}", "[null]",
                            "[{\"Path\":null},{\"Path\":null}]", "[{\"Path\":\"/media");
  CHECK_FALSE(parse_root_folders(bad));
}

TEST_CASE("root folders: odd paths are written as a URI", "[agent][arr]") {
  CHECK(sqlite_uri("/a b/c?d#e%", "mode=ro") == "file:/a%20b/c%3fd%23e%25?mode=ro");
}

}  // namespace relab::agent::media
