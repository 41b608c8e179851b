#include "agent/kinds/media/settings.h"

#include <fstream>
#include <iterator>
#include <random>

#include "tests/support/must.h"

namespace relab::agent::media {

namespace {

std::string sample(const std::string& name) {
  std::ifstream file(std::string(RELAB_TEST_DATA) + "/services/arr/" + name);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("settings: Sonarr and its kin tell port and name", "[agent][media]") {
  const auto [file, port, instance] = GENERATE(
      table<std::string, std::uint16_t, std::string>({{"config.sonarr.xml", 8989, "Sonarr"},
                                                      {"config.radarr.xml", 7878, "Radarr"},
                                                      {"config.prowlarr.xml", 9696, "Prowlarr"}}));

  const auto settings = must(parse_servarr(sample(file)));

  CHECK(settings.port == port);
  CHECK(settings.ssl_port == 0);
  CHECK(settings.bind_address == "*");
  CHECK(settings.instance_name == instance);
}

TEST_CASE("settings: a config.xml that is cut off is an error without its content",
          "[agent][media]") {
  const auto whole = sample("config.sonarr.xml");
  const auto size = GENERATE_COPY(range(std::size_t{0}, whole.size() - 10, std::size_t{37}));

  const auto settings = parse_servarr(whole.substr(0, size));

  REQUIRE_FALSE(settings);
  CHECK(settings.error().fault == Fault::damaged);
  CHECK_THAT(settings.error().sentence(), !Catch::Contains("0123456789abcdef"));
}

TEST_CASE("settings: another program's config.xml is told apart", "[agent][media]") {
  const auto settings = parse_servarr("<configuration version=\"37\"><gui/></configuration>");

  CHECK(settings.error().fault == Fault::unsupported);
}

TEST_CASE("settings: PostgreSQL is told", "[agent][media]") {
  const auto settings = must(parse_servarr(
      "<Config><Port>8989</Port><EnableSsl>True</EnableSsl><SslPort>9898</SslPort>"
      "<PostgresHost>10.0.0.9</PostgresHost><PostgresPassword>canary</PostgresPassword></Config>"));

  CHECK(settings.postgres_host == "10.0.0.9");
  CHECK(settings.ssl_port == 9898);
}

TEST_CASE("settings: Bazarr writes YAML, and wrote INI", "[agent][media]") {
  const auto text = GENERATE(
      "---\nauth:\n  apikey: canary\n  port: 1\ngeneral:\n  base_url: /bazarr\n  ip: 0.0.0.0\n"
      "  path_mappings: []\n  port: 6767\n  nested:\n    port: 2\n  enabled_providers:\n  - a: b\n",
      "[auth]\napikey = canary\n[general]\nip = 0.0.0.0\nport = 6767\nbase_url = /bazarr\n");

  const auto settings = must(parse_bazarr(text));

  CHECK(settings.port == 6767);
  CHECK(settings.url_base == "/bazarr");
}

TEST_CASE("settings: qBittorrent's paths are of its session, or of old preferences",
          "[agent][media]") {
  const auto now = must(parse_qbittorrent(
      "[BitTorrent]\nSession\\DefaultSavePath=/downloads\nSession\\TempPath=/downloads/tmp\n"
      "Session\\TempPathEnabled=true\n\n"
      "[Preferences]\nWebUI\\Port=8090\nWebUI\\Password_PBKDF2=\"@ByteArray(canary)\"\n"));
  const auto old = must(parse_qbittorrent("[Preferences]\nDownloads\\SavePath=/old\n"));

  CHECK(now.port == 8090);
  CHECK(now.paths == std::vector<DataPath>{{"downloads", "/downloads"},
                                           {"incomplete downloads", "/downloads/tmp"}});
  CHECK(old.paths == std::vector<DataPath>{{"downloads", "/old"}});
}

TEST_CASE("settings: folders that are switched off are left out", "[agent][media]") {
  const auto enabled = GENERATE(as<std::string>{}, "", "TempPathEnabled=false\n");
  const auto session = must(parse_qbittorrent(
      "[BitTorrent]\nSession\\DefaultSavePath=/d\nSession\\TempPath=/tmp/unused\n" +
      (enabled.empty() ? "" : "Session\\" + enabled) +
      "Session\\FinishedTorrentExportDirectory=\n"));
  const auto preferences = must(
      parse_qbittorrent("[Preferences]\nDownloads\\SavePath=/d\nDownloads\\TempPath=/tmp/unused\n" +
                        (enabled.empty() ? "" : "Downloads\\" + enabled)));
  const auto transmission = GENERATE(
      R"({"rpc-port": 9091, "download-dir": "/d", "incomplete-dir": "/i", "watch-dir": "/w"})",
      R"({"rpc-port": 9091, "download-dir": "/d", "incomplete-dir": "/i", "watch-dir": "/w",
          "incomplete-dir-enabled": false, "watch-dir-enabled": false})",
      R"({"rpc_port": 9091, "download_dir": "/d", "incomplete_dir": "/i", "watch_dir": "/w",
          "incomplete_dir_enabled": false, "watch_dir_enabled": false})");

  const std::vector<DataPath> only{{"downloads", "/d"}};
  CHECK(session.paths == only);
  CHECK(preferences.paths == only);
  CHECK(must(parse_transmission(transmission)).paths == only);
}

TEST_CASE("settings: qBittorrent's session counts before what an older version left",
          "[agent][media]") {
  const auto settings =
      must(parse_qbittorrent("[BitTorrent]\nSession\\TempPathEnabled=false\n[Preferences]\n"
                             "Downloads\\TempPathEnabled=true\nDownloads\\TempPath=/left\n"));

  CHECK(settings.paths.empty());
}

TEST_CASE("settings: folders that are switched on are told", "[agent][media]") {
  const auto transmission = GENERATE(
      R"({"rpc-port": 9091, "download-dir": "/d", "incomplete-dir": "/i", "watch-dir": "/w",
          "incomplete-dir-enabled": true, "watch-dir-enabled": true})",
      R"({"rpc_port": 9091, "download_dir": "/d", "incomplete_dir": "/i", "watch_dir": "/w",
          "incomplete_dir_enabled": true, "watch_dir_enabled": true})");
  const auto preferences = must(parse_qbittorrent(
      "[Preferences]\nDownloads\\TempPath=/i\nDownloads\\TempPathEnabled=true\n"));

  CHECK(must(parse_transmission(transmission)).paths ==
        std::vector<DataPath>{
            {"downloads", "/d"}, {"incomplete downloads", "/i"}, {"watched folder", "/w"}});
  CHECK(preferences.paths == std::vector<DataPath>{{"incomplete downloads", "/i"}});
}

TEST_CASE("settings: SABnzbd's accounts are passed over", "[agent][media]") {
  const auto settings = must(parse_sabnzbd(
      "__version__ = 19\n[misc]\nhost = 0.0.0.0\nport = 8080\napi_key = canary\n"
      "complete_dir = /media/usenet\ndownload_dir = Downloads/incomplete\nenable_https = 1\n"
      "https_port = 9090\n[servers]\n[[news.example]]\nport = 563\npassword = canary\n"));

  CHECK(settings.port == 8080);
  CHECK(settings.ssl_port == 9090);
  CHECK(settings.paths.at(0) == DataPath{"downloads", "/media/usenet"});
}

TEST_CASE("settings: the JSON of Jackett, Overseerr, Transmission and Deluge", "[agent][media]") {
  CHECK(must(parse_jackett(R"({"Port": 9117, "APIKey": "canary"})")).port == 9117);
  CHECK(must(parse_seerr(R"({"main": {"apiKey": "canary", "applicationTitle": "Films"}})"))
            .instance_name == "Films");
  const auto transmission = must(
      parse_transmission(R"({"rpc-port": 9091, "rpc-password": "{canary", "download-dir": "/d"})"));
  CHECK(transmission.port == 9091);
  CHECK(transmission.paths == std::vector<DataPath>{{"downloads", "/d"}});
  const auto deluge = must(parse_deluge(
      R"({"file": 1, "format": 1}{"daemon_port": 58846, "download_location": "/d",
          "move_completed": true, "move_completed_path": "/done"})"));
  CHECK(deluge.port == 58846);
  CHECK(deluge.paths.size() == 2);
}

TEST_CASE("settings: NZBGet's lines", "[agent][media]") {
  const auto settings =
      must(parse_nzbget("# "
                        "comment\nMainDir=/data\nDestDir=${MainDir}/"
                        "dst\nControlPort=6789\nControlPassword=canary\n"));

  CHECK(settings.port == 6789);
  CHECK(settings.paths.size() == 2);
}

TEST_CASE("settings: any bytes are survived, and nothing is taken for a configuration",
          "[agent][media]") {
  const auto parse =
      GENERATE(&parse_servarr, &parse_bazarr, &parse_qbittorrent, &parse_sabnzbd, &parse_jackett,
               &parse_seerr, &parse_transmission, &parse_deluge, &parse_nzbget);
  std::mt19937 random(GENERATE(range(0U, 20U)));
  constexpr std::string_view alphabet = "a=:[]{}<>/\"\\\n \t#,\xff";
  std::string text;
  for (int i = 0; i < 300; ++i) text += alphabet[random() % alphabet.size()];

  CHECK_FALSE(parse(text));
  CHECK_FALSE(parse(""));
}

}  // namespace relab::agent::media
