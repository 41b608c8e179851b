#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "common/wire/message.h"
#include "controller/rehearsal/world/described.h"

namespace relab::rehearsal {

namespace {

using Guest = schema::Lab::Guest::Reader;
using Kind = schema::Lab::Service::Kind;

/// A service with the guest that it runs in.
struct Seat {
  Guest guest;
  schema::Lab::Service::Reader service;

  /// Its own, or else the usual one.
  std::string folder(std::string_view usual) const {
    return service.getPath().size() == 0 ? std::string(usual) : str(service.getPath());
  }
};

template <typename Wanted>
std::vector<Seat> seats(const Described& described, Wanted wanted) {
  std::vector<Seat> found;
  for (const auto guest : described.guests)
    for (const auto service : guest.getServices())
      if (!service.getPlanned() && wanted(service.getKind())) found.push_back({guest, service});
  return found;
}

struct App {
  Kind kind;
  std::string_view name;
  std::string_view home;
  /// Below the home.
  std::string_view config;
  std::uint16_t port;
  /// Where below the folder of the service its home is.
  std::string_view below = {};
};

constexpr std::array apps{App{Kind::SONARR, "sonarr", "/var/lib/sonarr", "config.xml", 8989},
                          App{Kind::RADARR, "radarr", "/var/lib/radarr", "config.xml", 7878},
                          App{Kind::PROWLARR, "prowlarr", "/var/lib/prowlarr", "config.xml", 9696},
                          App{Kind::QBITTORRENT, "qbittorrent", "/var/lib/qbittorrent",
                              "qBittorrent.conf", 8080, "/qBittorrent/config"},
                          App{Kind::SABNZBD, "sabnzbd", "/var/lib/sabnzbd", "sabnzbd.ini", 8080}};

const App* app_of(Kind kind) {
  const auto found =
      std::find_if(apps.begin(), apps.end(), [&](const auto& app) { return app.kind == kind; });
  return found == apps.end() ? nullptr : &*found;
}

void write_arr(const Described& described, schema::AuditArr::Facts::Builder facts) {
  const auto found = seats(described, [](Kind kind) { return app_of(kind) != nullptr; });
  if (found.empty())
    facts.initCoverage().setAbsent(
        "no Sonarr, Radarr or other application of the arr stack was found");
  auto list = facts.initApps(static_cast<unsigned>(found.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    const auto& seat = found[i];
    const auto* known = app_of(seat.service.getKind());
    const auto home = seat.folder(known->home) + std::string(known->below);
    auto app = list[i];
    app.setApp(std::string(known->name));
    app.setPlace(Described::title(seat.guest));
    app.setVmid(seat.guest.getVmid());
    app.setRunning(true);
    app.setUnit(fmt::format("{}.service", known->name));
    app.setConfigFile(fmt::format("{}/{}", home, known->config));
    app.setDataPath(home);
    app.setHostPath(described.on_host(seat.guest, home));
    app.setPort(seat.service.getPort() == 0 ? known->port : seat.service.getPort());
    if (known->config != "config.xml") continue;
    app.setBindAddress("*");
    app.setBranch("main");
    auto name = std::string(known->name);
    name.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(name.front())));
    app.setInstanceName(name);
  }
}

/// Render nodes that the server's container has.
void write_devices(const Described& described, const std::vector<Seat>& found,
                   schema::AuditJellyfin::Facts::Builder facts) {
  std::vector<std::pair<Guest, GuestDevice>> rows;
  for (const auto& seat : found)
    for (auto& device : devices_of(described, seat.guest))
      rows.emplace_back(seat.guest, std::move(device));
  auto list = facts.initDevices(static_cast<unsigned>(rows.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    list[i].setPlace(Described::title(rows[i].first));
    list[i].setVmid(rows[i].first.getVmid());
    list[i].setKey(rows[i].second.key);
    list[i].setWhat(rows[i].second.what);
  }
}

void write_jellyfin(const Described& described, schema::AuditJellyfin::Facts::Builder facts) {
  const auto found = seats(described, [](Kind kind) { return kind == Kind::JELLYFIN; });
  if (found.empty()) facts.initCoverage().setAbsent("no Jellyfin was found");
  auto servers = facts.initServers(static_cast<unsigned>(found.size()));
  std::vector<Seat> shelves;
  for (unsigned i = 0; i < servers.size(); ++i) {
    const auto& seat = found[i];
    const auto data = seat.folder("/var/lib/jellyfin");
    const std::string config = "/etc/jellyfin";
    auto server = servers[i];
    server.setPlace(Described::title(seat.guest));
    server.setVmid(seat.guest.getVmid());
    server.setRunning(true);
    server.setUnit("jellyfin.service");
    server.setConfigPath(config);
    server.setDataPath(data);
    server.setPlaceConfigPath(config);
    server.setPlaceDataPath(data);
    server.setHostConfigPath(described.on_host(seat.guest, config));
    server.setHostDataPath(described.on_host(seat.guest, data));
    server.setVersion("10.10.7");
    server.setServerName(seat.guest.getName());
    server.setPort(seat.service.getPort() == 0 ? std::uint16_t{8096} : seat.service.getPort());
    server.setAcceleration(seat.guest.getGpus().size() == 0 ? "none" : "vaapi");
    if (seat.guest.getGpus().size() != 0) server.setVaapiDevice("/dev/dri/renderD128");
    if (seat.guest.getMounts().size() != 0) shelves.push_back(seat);
  }
  write_devices(described, found, facts);
  auto libraries = facts.initLibraries(static_cast<unsigned>(shelves.size()));
  for (unsigned i = 0; i < libraries.size(); ++i) {
    const auto& guest = shelves[i].guest;
    const auto mount = guest.getMounts()[0];
    libraries[i].setPlace(Described::title(guest));
    libraries[i].setVmid(guest.getVmid());
    libraries[i].setName("Media");
    libraries[i].setPath(mount.getTarget());
    libraries[i].setPlacePath(mount.getTarget());
    libraries[i].setHostPath(mount.getSource());
  }
}

void write_pbs(const Described& described, schema::AuditPbs::Facts::Builder facts) {
  const auto found = seats(described, [](Kind kind) { return kind == Kind::PBS; });
  if (found.empty())
    facts.initCoverage().setAbsent(
        "no Proxmox Backup Server and no storage of that type was found");
  auto servers = facts.initServers(static_cast<unsigned>(found.size()));
  std::vector<Seat> stores;
  for (unsigned i = 0; i < servers.size(); ++i) {
    const auto& guest = found[i].guest;
    servers[i].setPlace(Described::title(guest));
    servers[i].setVmid(guest.getVmid());
    servers[i].setRunning(true);
    servers[i].setInstalled(true);
    servers[i].setHostConfigPath(described.on_host(guest, found[i].folder("/etc/proxmox-backup")));
    if (guest.getMounts().size() != 0) stores.push_back(found[i]);
  }
  auto list = facts.initDatastores(static_cast<unsigned>(stores.size()));
  for (unsigned i = 0; i < list.size(); ++i) {
    const auto mount = stores[i].guest.getMounts()[0];
    list[i].setVmid(stores[i].guest.getVmid());
    list[i].setName("main");
    list[i].setPath(mount.getTarget());
    list[i].setHostPath(mount.getSource());
    list[i].setGcSchedule("daily");
    list[i].setChunks(true);
  }
}

}  // namespace

void describe_services(const Described& described, schema::World::Builder world) {
  write_arr(described, world.initArr());
  write_jellyfin(described, world.initJellyfin());
  write_pbs(described, world.initPbs());
}

}  // namespace relab::rehearsal
