// What a world tells of guests and of what is in them, found again by the real audit.

#include "agent/kinds/guests/audit_guests.h"
#include "agent/kinds/media/audit_arr.h"
#include "agent/kinds/media/audit_jellyfin.h"
#include "agent/kinds/pbs/audit_pbs.h"
#include "tests/unit/sim/proxmox/scene.h"

namespace relab::agent::sim {

namespace {

constexpr auto arr_facts = R"json({
  "apps": [
    {"app": "qbittorrent", "place": "container 130 (sonarr)", "vmid": 130, "running": true,
     "unit": "qbittorrent-nox.service",
     "configFile": "/home/qb/.config/qBittorrent/qBittorrent.conf",
     "dataPath": "/home/qb/.config/qBittorrent",
     "hostPath": "/rpool/data/subvol-130-disk-0/home/qb/.config/qBittorrent", "port": 8081},
    {"app": "sonarr", "place": "container 130 (sonarr)", "vmid": 130, "running": true,
     "unit": "sonarr.service", "configFile": "/var/lib/sonarr/config.xml",
     "dataPath": "/var/lib/sonarr", "hostPath": "/rpool/data/subvol-130-disk-0/var/lib/sonarr",
     "port": 8989, "bindAddress": "*", "urlBase": "/tv", "instanceName": "Sonarr & Co",
     "branch": "main"},
    {"app": "radarr", "place": "container 130 (sonarr)", "vmid": 130, "container": "films",
     "image": "lscr.io/linuxserver/radarr:latest", "running": true,
     "configFile": "/srv/radarr/config.xml", "dataPath": "/config",
     "hostPath": "/rpool/data/subvol-130-disk-0/srv/radarr", "port": 7878, "publishedPort": 7879,
     "bindAddress": "*", "version": "5.2.1", "networkMode": "bridge"}],
  "paths": [
    {"app": "qbittorrent", "place": "container 130 (sonarr)", "vmid": 130, "purpose": "downloads",
     "path": "/media/downloads", "placePath": "/media/downloads",
     "hostPath": "/tank/media/downloads"},
    {"app": "sonarr", "place": "container 130 (sonarr)", "vmid": 130, "purpose": "root folder",
     "path": "/media/tv", "placePath": "/media/tv", "hostPath": "/tank/media/tv"},
    {"app": "radarr", "place": "container 130 (sonarr)", "vmid": 130, "container": "films",
     "purpose": "mount", "path": "/config", "placePath": "/srv/radarr",
     "hostPath": "/rpool/data/subvol-130-disk-0/srv/radarr"},
    {"app": "radarr", "place": "container 130 (sonarr)", "vmid": 130, "container": "films",
     "purpose": "mount", "path": "/films", "placePath": "/media/films",
     "hostPath": "/tank/media/films", "readOnly": true},
    {"app": "radarr", "place": "container 130 (sonarr)", "vmid": 130, "container": "films",
     "purpose": "root folder", "path": "/films", "placePath": "/media/films",
     "hostPath": "/tank/media/films"}]
})json";

constexpr auto jellyfin_facts = R"json({
  "servers": [
    {"place": "container 112 (trillian)", "vmid": 112, "unit": "jellyfin.service",
     "configPath": "/etc/jellyfin", "dataPath": "/var/lib/jellyfin",
     "hostConfigPath": "/rpool/data/subvol-112-disk-0/etc/jellyfin",
     "hostDataPath": "/rpool/data/subvol-112-disk-0/var/lib/jellyfin",
     "cachePath": "/var/cache/jellyfin", "version": "10.11.3", "serverName": "films",
     "port": 8097, "baseUrl": "/jf", "acceleration": "vaapi",
     "vaapiDevice": "/dev/dri/renderD128", "hardwareEncoding": true, "tonemapping": true,
     "allowHevc": true, "decodingCodecs": ["h264", "hevc"],
     "transcodingPath": "/var/cache/jellyfin/transcodes",
     "placeConfigPath": "/etc/jellyfin", "placeDataPath": "/var/lib/jellyfin"
}],
  "libraries": [
    {"place": "container 112 (trillian)", "vmid": 112, "name": "Empty", "type": "music"},
    {"place": "container 112 (trillian)", "vmid": 112, "name": "Movies", "type": "movies",
     "path": "/models/films", "placePath": "/models/films", "hostPath": "/tank/models/films"}],
  "devices": [
    {"place": "container 112 (trillian)", "vmid": 112, "key": "dev0",
     "what": "/dev/nvidia0,gid=44,mode=0660"},
    {"place": "container 112 (trillian)", "vmid": 112, "key": "dev1",
     "what": "/dev/nvidiactl,gid=44,mode=0660"},
    {"place": "container 112 (trillian)", "vmid": 112, "key": "dev2",
     "what": "/dev/nvidia-uvm,gid=44,mode=0660"},
    {"place": "container 112 (trillian)", "vmid": 112, "key": "dev3",
     "what": "/dev/nvidia-uvm-tools,gid=44,mode=0660"}]
})json";

constexpr auto pbs_facts = R"json({
  "servers": [
    {"place": "container 120 (pbs)", "vmid": 120, "running": true, "installed": true,
     "hostConfigPath": "/rpool/data/subvol-120-disk-0/etc/proxmox-backup"
}],
  "datastores": [
    {"vmid": 120, "name": "tank-main", "path": "/mnt/datastore/tank-main", "hostPath": "/tank/pbs",
     "comment": "all of it", "gcSchedule": "daily", "keep": {"last": 3, "weekly": 8},
     "verifyNew": true, "notificationMode": "notification-system", "chunks": true,
     "lastGc": "1760600000000", "gcDiskBytes": "1099511627776", "gcPendingBytes": "4096"}],
  "pruneJobs": [
    {"vmid": 120, "id": "daily", "store": "tank-main", "namespace": "pve", "schedule": "02:30",
     "enabled": true, "keep": {"daily": 7}, "maxDepth": "2", "comment": "as agreed"}],
  "verifyJobs": [
    {"vmid": 120, "id": "monthly", "store": "tank-main", "schedule": "monthly",
     "ignoreVerified": true, "outdatedAfter": 30}],
  "storages": [
    {"id": "pbs-tank", "server": "10.42.10.20", "datastore": "tank-main", "namespace": "pve",
     "username": "pve-backup@pbs!pve", "fingerprint": "3a:9f", "encrypted": true,
     "password": true, "enabled": true, "active": true, "total": "12094627905536",
     "used": "4310067314688", "available": "7784560590848", "pruneBackups": "keep-all=1"}]
})json";

template <typename Facts>
Message<Facts> facts_of(const char* json) {
  return must(Message<Facts>::from_json(json));
}

}  // namespace

TEST_CASE("simulated proxmox: guests are found as the world has them", "[sim][proxmox]") {
  Scene scene;

  CHECK(audit<guests::AuditGuests>(scene.host) ==
        json_of<schema::AuditGuests::Facts>(scene.world.reader().getGuests()));
}

TEST_CASE("simulated proxmox: a machine without Proxmox has none of its files", "[sim][proxmox]") {
  Draft<schema::World> world;
  world->initGuests().initCoverage().setAbsent("this is no Proxmox VE host");
  Scene scene(std::move(world).finish());

  const auto facts = must(guests::AuditGuests::observe({}, scene.host));

  CHECK_FALSE(facts.reader().getCoverage().getAbsent().size() == 0);
  CHECK_FALSE(scene.host.status("/etc/pve"));
}

TEST_CASE("simulated proxmox: the arr stack is found with its folders, in Docker and without",
          "[sim][proxmox]") {
  const auto facts = facts_of<schema::AuditArr::Facts>(arr_facts);
  Scene scene(sample_world([&](auto world) { world.setArr(facts.reader()); }));

  CHECK(audit<media::AuditArr>(scene.host) == json_of<schema::AuditArr::Facts>(facts.reader()));
}

TEST_CASE("simulated proxmox: Jellyfin is found with its libraries, in a container that is stopped",
          "[sim][proxmox]") {
  const auto facts = facts_of<schema::AuditJellyfin::Facts>(jellyfin_facts);
  Scene scene(sample_world([&](auto world) { world.setJellyfin(facts.reader()); }));

  CHECK(audit<media::AuditJellyfin>(scene.host) ==
        json_of<schema::AuditJellyfin::Facts>(facts.reader()));
}

TEST_CASE("simulated proxmox: a backup server is found with its datastores, jobs and storages",
          "[sim][proxmox]") {
  const auto facts = facts_of<schema::AuditPbs::Facts>(pbs_facts);
  Scene scene(sample_world([&](auto world) { world.setPbs(facts.reader()); }));

  CHECK(audit<pbs::AuditPbs>(scene.host) == json_of<schema::AuditPbs::Facts>(facts.reader()));
}

}  // namespace relab::agent::sim
