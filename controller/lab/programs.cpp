#include "controller/lab/programs.h"

#include <algorithm>

namespace relab::lab {

namespace {

using Kind = schema::Lab::Service::Kind;

/// "wg-quick@wg0.service" is an instance of "wg-quick@.service".
bool is_unit(std::string_view unit, std::string_view known) {
  const auto at = known.find("@.");
  if (at == std::string_view::npos) return unit == known;
  return unit.starts_with(known.substr(0, at + 1)) && unit.ends_with(known.substr(at + 1));
}

/// Without registry, tag and digest.
std::string_view plain(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const auto slash = image.find('/');
  const auto first = image.substr(0, std::min(slash, image.size()));
  const bool is_registry =
      first == "localhost" || first.find_first_of(".:") != std::string_view::npos;
  if (slash != std::string_view::npos && is_registry) image.remove_prefix(slash + 1);
  return image.substr(0, image.find(':'));
}

}  // namespace

const std::vector<Program>& programs() {
  static const std::vector<Program> all = {
      {.kind = Kind::JELLYFIN,
       .name = "jellyfin",
       .units = {"jellyfin.service"},
       .port = 8096,
       .folder = "/var/lib/jellyfin",
       .images = {"jellyfin/jellyfin", "linuxserver/jellyfin"}},
      {.kind = Kind::SONARR,
       .name = "sonarr",
       .units = {"sonarr.service"},
       .port = 8989,
       .folder = "/var/lib/sonarr",
       .images = {"linuxserver/sonarr", "hotio/sonarr"}},
      {.kind = Kind::RADARR,
       .name = "radarr",
       .units = {"radarr.service"},
       .port = 7878,
       .folder = "/var/lib/radarr",
       .images = {"linuxserver/radarr", "hotio/radarr"}},
      {.kind = Kind::PROWLARR,
       .name = "prowlarr",
       .units = {"prowlarr.service"},
       .port = 9696,
       .folder = "/var/lib/prowlarr",
       .images = {"linuxserver/prowlarr", "hotio/prowlarr"}},
      {.kind = Kind::QBITTORRENT,
       .name = "qbittorrent",
       .units = {"qbittorrent.service", "qbittorrent-nox.service", "qbittorrent-nox@.service"},
       .port = 8080,
       .folder = "/var/lib/qbittorrent",
       .images = {"linuxserver/qbittorrent", "hotio/qbittorrent"}},
      {.kind = Kind::SABNZBD,
       .name = "sabnzbd",
       .units = {"sabnzbd.service", "sabnzbdplus.service", "sabnzbd@.service"},
       .port = 8080,
       .folder = "/var/lib/sabnzbd",
       .images = {"linuxserver/sabnzbd", "hotio/sabnzbd"}},
      {.kind = Kind::PBS,
       .name = "pbs",
       .units = {"proxmox-backup-proxy.service", "proxmox-backup.service"},
       .port = 8007,
       .folder = "/etc/proxmox-backup"},
      {.kind = Kind::WIREGUARD,
       .name = "wireguard",
       .units = {"wg-quick@.service"},
       .folder = "/etc/wireguard",
       .images = {"linuxserver/wireguard"}},
      {.kind = Kind::PROMETHEUS,
       .name = "prometheus",
       .units = {"prometheus.service"},
       .port = 9090,
       .folder = "/var/lib/prometheus",
       .images = {"prom/prometheus"}},
      {.kind = Kind::GRAFANA,
       .name = "grafana",
       .units = {"grafana-server.service"},
       .port = 3000,
       .folder = "/var/lib/grafana",
       .images = {"grafana/grafana", "grafana/grafana-oss", "grafana/grafana-enterprise"}},
      {.kind = Kind::PVE_EXPORTER,
       .name = "pve_exporter",
       .units = {"prometheus-pve-exporter.service", "pve_exporter.service", "pve-exporter.service"},
       .port = 9221,
       .images = {"prompve/prometheus-pve-exporter"}},
      {.kind = Kind::NODE_EXPORTER,
       .name = "node_exporter",
       .units = {"prometheus-node-exporter.service", "node_exporter.service"},
       .port = 9100,
       .images = {"prom/node-exporter"}},
      {.kind = Kind::DOCKER,
       .name = "docker",
       .units = {"docker.service"},
       .folder = "/var/lib/docker"},
      {.kind = Kind::OLLAMA,
       .name = "ollama",
       .units = {"ollama.service"},
       .port = 11434,
       .folder = "/usr/share/ollama",
       .images = {"ollama/ollama"}},
      {.kind = Kind::OPEN_WEBUI,
       .name = "open_webui",
       .units = {"open-webui.service"},
       .port = 3000,
       .images = {"open-webui/open-webui"}},
      {.kind = Kind::CADDY,
       .name = "caddy",
       .units = {"caddy.service"},
       .port = 443,
       .folder = "/etc/caddy",
       .images = {"caddy", "library/caddy"}},
      {.kind = Kind::VAULT,
       .name = "vault",
       .units = {"vault.service", "openbao.service"},
       .port = 8200,
       .folder = "/opt/vault",
       .images = {"hashicorp/vault", "openbao/openbao"}},
  };
  return all;
}

const Program& program(Kind kind) {
  static const Program none{.kind = Kind::UNSET, .name = "unset", .units = {}};
  const auto found = std::ranges::find(programs(), kind, &Program::kind);
  return found == programs().end() ? none : *found;
}

const Program* program_of_unit(std::string_view unit) {
  const auto found = std::ranges::find_if(programs(), [&](const Program& known) {
    return std::ranges::any_of(known.units, [&](auto name) { return is_unit(unit, name); });
  });
  return found == programs().end() ? nullptr : &*found;
}

const Program* program_of_image(std::string_view image) {
  const auto found = std::ranges::find_if(programs(), [&](const Program& known) {
    return std::ranges::any_of(known.images, [&](auto name) { return plain(image) == name; });
  });
  return found == programs().end() ? nullptr : &*found;
}

}  // namespace relab::lab
