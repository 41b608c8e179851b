#include "agent/kinds/media/audit_jellyfin.h"

#include <fstream>
#include <iterator>
#include <random>

#include "agent/kinds/media/server.h"
#include "tests/support/must.h"
#include "tests/support/sim_guest.h"

namespace relab::agent::media {

namespace {

using Facts = schema::AuditJellyfin::Facts;

std::string encoding_sample() {
  std::ifstream file(std::string(RELAB_TEST_DATA) + "/services/jellyfin/encoding.xml");
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

constexpr auto system_xml =
    "<?xml version=\"1.0\"?><ServerConfiguration><ServerName>films</ServerName>"
    "<PreviousVersionStr>10.11.3</PreviousVersionStr><CachePath /></ServerConfiguration>";
constexpr auto network_xml =
    "<NetworkConfiguration><BaseUrl>/jf</BaseUrl><EnableHttps>false</EnableHttps>"
    "<InternalHttpPort>8097</InternalHttpPort><InternalHttpsPort>8920</InternalHttpsPort>"
    "<CertificatePassword>canary</CertificatePassword></NetworkConfiguration>";
constexpr auto options_xml =
    "<LibraryOptions><PathInfos><MediaPathInfo><Path>/media/movies</Path></MediaPathInfo>"
    "</PathInfos></LibraryOptions>";

/// A server's files below these directories.
void add_server(SimHost& host, const std::string& config, const std::string& data) {
  host.file(config + "/system.xml", system_xml);
  host.file(config + "/network.xml", network_xml);
  host.file(config + "/encoding.xml", encoding_sample());
  host.file(data + "/root/default/Movies/options.xml", options_xml);
  host.file(data + "/root/default/Movies/movies.mblink", "/media/movies");
  host.file(data + "/root/default/Movies/movies.collection", "");
  host.file(data + "/root/default/Shows/tv.mblink", "/media/tv\n");
  host.file(data + "/root/default/Shows/tvshows.collection", "");
  host.file(data + "/root/default/Empty/music.collection", "");
}

Message<Facts> observe(Host& host) {
  const auto params = must(Message<schema::AuditJellyfin>::from_json("{}"));
  return must(AuditJellyfin::observe(params.reader(), host));
}

Facts::Reader of(const Message<Facts>& message) { return message.reader(); }

std::vector<std::string> problems(const Message<Facts>& message) {
  std::vector<std::string> texts;
  for (auto gap : of(message).getCoverage().getProblems())
    texts.push_back(str(gap.getPart()) + ": " + str(gap.getWhy()));
  return texts;
}

void add_container(SimHost& host, SimHost& guest) {
  host.link("/etc/pve/local", "nodes/pve");
  mount(host, {"/"});
  host.file("/etc/pve/nodes/pve/lxc/110.conf",
            "hostname: jellyfin\nrootfs: local-zfs:subvol-110-disk-0,size=16G\n"
            "mp0: /tank/media,mp=/media\ndev0: /dev/dri/renderD128,gid=104\n"
            "lxc.cgroup2.devices.allow: c 226:* rwm\n"
            "lxc.mount.entry: /dev/dri dev/dri none bind,optional,create=dir\n");
  host.answer("pvesh get /nodes/localhost/lxc --output-format json",
              {.out = R"([{"vmid": 110, "status": "running"}])"});
  host.program("pct", containers({{"110", &guest}}));
  host.answer("pvesm path local-zfs:subvol-110-disk-0", {.out = "/rpool/subvol\n"});
  host.file("/rpool/subvol/etc/hostname", "jellyfin");
}

}  // namespace

TEST_CASE("jellyfin: a server in a container comes with libraries, acceleration and devices",
          "[agent][jellyfin]") {
  using namespace std::string_literals;
  SimHost guest;
  add_server(guest, "/etc/jellyfin", "/var/lib/jellyfin");
  guest.file("/proc/9/cmdline", "/usr/bin/jellyfin\0--webdir=/usr/share/jellyfin/web\0"s);
  guest.file("/proc/9/cgroup", "0::/system.slice/jellyfin.service\n");
  SimHost host;
  add_container(host, guest);
  host.file("/tank/media/movies/x", "");

  const auto message = observe(host);

  CHECK(problems(message).empty());
  REQUIRE(of(message).getServers().size() == 1);
  const auto server = of(message).getServers()[0];
  CHECK(view(server.getPlace()) == "container 110 (jellyfin)");
  CHECK(server.getRunning());
  CHECK(view(server.getConfigPath()) == "/etc/jellyfin");
  CHECK(view(server.getDataPath()) == "/var/lib/jellyfin");
  CHECK(view(server.getVersion()) == "10.11.3");
  CHECK(server.getPort() == 8097);
  CHECK(server.getHttpsPort() == 0);
  CHECK(view(server.getAcceleration()) == "vaapi");
  CHECK(view(server.getVaapiDevice()) == "/dev/dri/renderD128");
  CHECK(server.getTonemapping());
  CHECK_FALSE(server.getVppTonemapping());
  CHECK(server.getDecodingCodecs().size() == 4);
  const auto libraries = of(message).getLibraries();
  REQUIRE(libraries.size() == 3);
  CHECK(view(libraries[0].getName()) == "Empty");
  CHECK(view(libraries[0].getPath()).empty());
  CHECK(view(libraries[1].getType()) == "movies");
  CHECK(view(libraries[1].getHostPath()) == "/tank/media/movies");
  CHECK(view(libraries[2].getPath()) == "/media/tv");
  CHECK(view(libraries[2].getHostPath()).empty());
  REQUIRE(of(message).getDevices().size() == 3);
  CHECK(view(of(message).getDevices()[0].getKey()) == "dev0");
  CHECK_THAT(message.to_json(), !Catch::Contains("canary"));
}

TEST_CASE("jellyfin: a library on a file system that its bind mount does not show is a problem",
          "[agent][jellyfin]") {
  SimHost guest;
  add_server(guest, "/etc/jellyfin", "/var/lib/jellyfin");
  SimHost host;
  add_container(host, guest);
  host.file("/tank/media/movies/x", "");
  mount(host, {"/", "/tank/media", "/tank/media/movies"});

  const auto message = observe(host);

  CHECK(view(of(message).getLibraries()[1].getPath()) == "/media/movies");
  CHECK(view(of(message).getLibraries()[1].getHostPath()).empty());
  REQUIRE(problems(message).size() == 1);
  CHECK_THAT(problems(message)[0], Catch::Contains("/media/movies is on /tank/media/movies"));
}

TEST_CASE("jellyfin: both kinds of Docker image are read", "[agent][jellyfin]") {
  const auto [config, data] = GENERATE(table<std::string, std::string>(
      {{"/srv/jf/config", "/srv/jf"}, {"/srv/jf", "/srv/jf/data"}}));
  SimHost host;
  add_server(host, config, data);
  host.answer("docker ps --all --quiet --no-trunc", {.out = "a1\n"});
  host.answer("docker inspect --type container a1", {.out = R"([{"Id": "a1", "Name": "/jf",
      "State": {"Status": "running"}, "Config": {"Image": "jellyfin/jellyfin:10.11"},
      "HostConfig": {"Devices": [{"PathOnHost": "/dev/dri"}]},
      "Mounts": [{"Type": "bind", "Source": "/srv/jf", "Destination": "/config", "RW": true},
        {"Type": "bind", "Source": "/tank/media", "Destination": "/media", "RW": false}],
      "NetworkSettings": {"Ports": {"8097/tcp": [{"HostIp": "", "HostPort": "80"}]}}}])"});
  host.directory("/tank/media/tv");

  const auto message = observe(host);

  CHECK(problems(message).empty());
  REQUIRE(of(message).getServers().size() == 1);
  CHECK(view(of(message).getServers()[0].getHostConfigPath()) == config);
  CHECK(view(of(message).getServers()[0].getHostDataPath()) == data);
  CHECK(of(message).getServers()[0].getPublishedPort() == 80);
  CHECK(view(of(message).getLibraries()[2].getHostPath()) == "/tank/media/tv");
  CHECK(view(of(message).getDevices()[0].getWhat()) == "/dev/dri");
}

TEST_CASE("jellyfin: a data directory of the defaults file is believed before the usual one",
          "[agent][jellyfin]") {
  SimHost host;
  add_server(host, "/etc/jellyfin", "/tank/jellyfin");
  host.directory("/var/lib/jellyfin/root/default");
  host.file("/etc/default/jellyfin", "# x\nJELLYFIN_DATA_DIR=\"/tank/jellyfin\"\n");

  const auto message = observe(host);

  CHECK(view(of(message).getServers()[0].getDataPath()) == "/tank/jellyfin");
  CHECK(of(message).getLibraries().size() == 3);
}

TEST_CASE("jellyfin: libraries that cannot be found are a problem", "[agent][jellyfin]") {
  SimHost host;
  host.file("/etc/jellyfin/system.xml", system_xml);

  const auto message = observe(host);

  REQUIRE(problems(message).size() == 1);
  CHECK_THAT(problems(message)[0], Catch::StartsWith("libraries of jellyfin on this machine"));
}

TEST_CASE("jellyfin: each damaged file is a problem of its own", "[agent][jellyfin]") {
  SimHost host;
  add_server(host, "/etc/jellyfin", "/var/lib/jellyfin");
  const auto file =
      GENERATE("/etc/jellyfin/system.xml", "/etc/jellyfin/network.xml",
               "/etc/jellyfin/encoding.xml", "/var/lib/jellyfin/root/default/Movies/options.xml");
  host.file(file, GENERATE("<EncodingOptions><a>canary", "", "<Other>canary</Other>"));

  const auto message = observe(host);

  CHECK(of(message).getServers().size() == 1);
  CHECK(problems(message).size() == 1);
  CHECK_THAT(message.to_json(), !Catch::Contains("canary"));
}

TEST_CASE("jellyfin: a file that cannot be read is no default", "[agent][jellyfin]") {
  SimHost host;
  add_server(host, "/etc/jellyfin", "/var/lib/jellyfin");
  host.broken("/etc/jellyfin/encoding.xml",
              {.fault = Fault::damaged, .what = "input/output error"});

  CHECK(problems(observe(host)).size() == 1);
}

TEST_CASE("jellyfin: a machine without it says so", "[agent][jellyfin]") {
  SimHost host;

  CHECK(str(of(observe(host)).getCoverage().getAbsent()) == "no Jellyfin was found");
}

TEST_CASE("jellyfin: ports as versions before 10.9 wrote them", "[agent][jellyfin]") {
  const auto network =
      must(parse_network("<NetworkConfiguration><HttpServerPortNumber>8096</HttpServerPortNumber>"
                         "<EnableHttps>true</EnableHttps><HttpsPortNumber>8920</HttpsPortNumber></"
                         "NetworkConfiguration>"));

  CHECK(network.port == 8096);
  CHECK(network.https_port == 8920);
}

TEST_CASE("jellyfin: any bytes are survived by its readers", "[agent][jellyfin]") {
  std::mt19937 random(GENERATE(range(0U, 30U)));
  constexpr std::string_view alphabet = "<>/=\"a! -[]&;#x\xff\n";
  std::string text = "<EncodingOptions>";
  for (int i = 0; i < 300; ++i) text += alphabet[random() % alphabet.size()];

  CHECK_FALSE(parse_encoding(text));
  CHECK_FALSE(parse_system(text));
  CHECK_FALSE(parse_library(text));
}

}  // namespace relab::agent::media
