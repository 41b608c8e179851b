#include "agent/kinds/media/app.h"

#include <algorithm>
#include <array>
#include <string>

namespace relab::agent::media {

namespace {

/// Sonarr and those that were made from it are laid out alike.
App servarr(std::string_view name, std::vector<std::string_view> homes, std::uint16_t port,
            bool has_root_folders) {
  return {.name = name,
          .words = {name},
          .configs = {"config.xml"},
          .homes = std::move(homes),
          .docker_homes = {"/config", "/data", "/app/data"},
          .options = {"-data", "--data"},
          .default_port = port,
          .parse = &parse_servarr,
          .has_root_folders = has_root_folders};
}

std::vector<App> make_servarrs() {
  // Which of them a config.xml belongs to is told by the database beside it, so that each looks
  // everywhere.
  const std::vector<std::string_view> homes{"/var/lib/*",
                                            "/home/*/.config/*",
                                            "/root/.config/*",
                                            "/opt/*",
                                            "/opt/*/config",
                                            "/opt/*/data",
                                            "/srv/*",
                                            "/srv/*/config",
                                            "/etc/*",
                                            "/var/opt/*",
                                            "/var/lib/*/.config/*",
                                            "/home/*",
                                            "/data/*",
                                            "/config"};
  return {servarr("sonarr", homes, 8989, true),   servarr("radarr", homes, 7878, true),
          servarr("lidarr", homes, 8686, true),   servarr("readarr", homes, 8787, true),
          servarr("whisparr", homes, 6969, true), servarr("prowlarr", homes, 9696, false)};
}

std::vector<App> make_helpers() {
  return {
      {.name = "bazarr",
       .words = {"bazarr"},
       .configs = {"config/config.yaml", "config/config.ini"},
       .homes = {"/opt/bazarr/data", "/opt/bazarr", "/var/lib/bazarr", "/home/*/bazarr/data",
                 "/srv/bazarr", "/config"},
       .docker_homes = {"/config", "/app/data"},
       .options = {"-c", "--config"},
       .default_port = 6767,
       .parse = &parse_bazarr},
      {.name = "jackett",
       .words = {"jackett"},
       .configs = {"ServerConfig.json"},
       .homes = {"/home/*/.config/Jackett", "/root/.config/Jackett", "/var/lib/jackett",
                 "/var/lib/*/.config/Jackett", "/opt/jackett/.config/Jackett"},
       .docker_homes = {"/config/Jackett", "/config"},
       .options = {"-d", "--DataFolder"},
       .default_port = 9117,
       .parse = &parse_jackett},
      {.name = "overseerr",
       .words = {"overseerr"},
       .configs = {"settings.json"},
       .homes = {"/opt/overseerr/config", "/var/lib/overseerr", "/etc/overseerr",
                 "/home/*/overseerr/config", "/srv/overseerr"},
       .docker_homes = {"/app/config", "/config"},
       .options = {},
       .default_port = 5055,
       .parse = &parse_seerr},
      {.name = "jellyseerr",
       .words = {"jellyseerr", "seerr"},
       .configs = {"settings.json"},
       .homes = {"/opt/jellyseerr/config", "/opt/seerr/config", "/var/lib/jellyseerr",
                 "/var/lib/seerr", "/etc/jellyseerr", "/etc/seerr", "/home/*/jellyseerr/config",
                 "/srv/jellyseerr"},
       .docker_homes = {"/app/config", "/config"},
       .options = {},
       .default_port = 5055,
       .parse = &parse_seerr},
  };
}

std::vector<App> make_clients() {
  return {
      {.name = "qbittorrent",
       .words = {"qbittorrent", "qbittorrentvpn"},
       .configs = {"qBittorrent.conf"},
       .homes = {"/home/*/.config/qBittorrent", "/root/.config/qBittorrent",
                 "/var/lib/*/.config/qBittorrent", "/opt/*/.config/qBittorrent",
                 "/srv/*/.config/qBittorrent", "/var/lib/qbittorrent/qBittorrent/config"},
       .docker_homes = {"/config/qBittorrent", "/config/qBittorrent/config", "/config",
                        "/config/config"},
       .options = {"--profile"},
       .option_suffix = "/qBittorrent/config",
       .default_port = 8080,
       .parse = &parse_qbittorrent},
      {.name = "sabnzbd",
       .words = {"sabnzbd", "sabnzbdplus", "sabnzbdvpn"},
       .configs = {"sabnzbd.ini"},
       .homes = {"/home/*/.sabnzbd", "/root/.sabnzbd", "/var/lib/sabnzbd", "/var/lib/sabnzbdplus",
                 "/var/lib/*/.sabnzbd", "/etc/sabnzbd", "/opt/sabnzbd", "/srv/sabnzbd"},
       .docker_homes = {"/config", "/config/sabnzbd"},
       .options = {"-f", "--config-file"},
       .default_port = 8080,
       .parse = &parse_sabnzbd},
      {.name = "transmission",
       .words = {"transmission"},
       .configs = {"settings.json"},
       .homes = {"/var/lib/transmission-daemon/info",
                 "/var/lib/transmission-daemon/.config/transmission-daemon",
                 "/home/*/.config/transmission-daemon", "/root/.config/transmission-daemon",
                 "/var/lib/transmission/.config/transmission-daemon", "/etc/transmission-daemon"},
       .docker_homes = {"/config", "/config/transmission-home", "/data/transmission-home"},
       .options = {"-g", "--config-dir"},
       .default_port = 9091,
       .parse = &parse_transmission},
      {.name = "deluge",
       .words = {"deluge", "deluged", "delugevpn"},
       .configs = {"core.conf"},
       .homes = {"/var/lib/deluged/config", "/var/lib/*/.config/deluge", "/home/*/.config/deluge",
                 "/root/.config/deluge"},
       .docker_homes = {"/config"},
       .options = {"-c", "--config"},
       .default_port = 58846,
       .parse = &parse_deluge},
      {.name = "nzbget",
       .words = {"nzbget"},
       .configs = {"nzbget.conf"},
       .homes = {"/etc", "/opt/nzbget", "/home/*", "/var/lib/nzbget", "/srv/nzbget", "/root"},
       .docker_homes = {"/config"},
       .options = {"-c", "--configfile"},
       .default_port = 6789,
       .parse = &parse_nzbget},
  };
}

std::vector<App> make_all() {
  auto apps = make_servarrs();
  for (auto& app : make_helpers()) apps.push_back(std::move(app));
  for (auto& app : make_clients()) apps.push_back(std::move(app));
  return apps;
}

/// The runs of letters, in lower case.
std::vector<std::string> letters_of(std::string_view name) {
  std::vector<std::string> runs(1);
  for (char c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    if (c >= 'a' && c <= 'z')
      runs.back() += c;
    else if (!runs.back().empty())
      runs.emplace_back();
  }
  return runs;
}

}  // namespace

const std::vector<App>& arr_apps() {
  static const std::vector<App> apps = make_all();
  return apps;
}

std::vector<std::string> App::databases() const {
  if (!has_own_database()) return {};
  const std::string base(name);
  if (name == "whisparr") return {base + "2.db", base + "3.db", base + ".db"};
  return {base + ".db"};
}

bool names_app(std::string_view name, const App& app) {
  constexpr std::array companions{"exporter", "exportarr", "vue", "plugin", "stat", "stats", "web"};
  const auto runs = letters_of(name);
  const auto has = [&](std::string_view word) {
    return std::ranges::find(runs, word) != runs.end();
  };
  return std::ranges::any_of(app.words, has) && std::ranges::none_of(companions, has);
}

}  // namespace relab::agent::media
