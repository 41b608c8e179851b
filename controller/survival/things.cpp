#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "common/base/text.h"
#include "controller/survival/fates.h"

namespace relab::controller {

namespace {

/// Gathers what one host has, each path of a place once.
class Gathering {
 public:
  Gathering(schema::Lab::Reader lab, std::string host, const HostAudit& audit)
      : lab_(lab), host_(std::move(host)), audit_(audit) {}

  std::vector<Thing> gather() && {
    add_kept();
    if (is_here(audit_.guests)) add({.path = "/etc/pve", .what = "configuration of Proxmox"});
    if (is_here(audit_.network)) add_network();
    if (audit_.schedules) add_schedules();
    if (audit_.pbs) add_pbs();
    if (audit_.arr) add_arr();
    if (audit_.jellyfin) add_jellyfin();
    wanted_ = false;
    if (audit_.arr) add_media_paths();
    if (audit_.jellyfin) add_libraries();
    if (audit_.pbs) add_datastores();
    if (audit_.guests) add_guests();
    if (audit_.zfs) add_datasets();
    give_up();
    return std::move(things_);
  }

 private:
  /// It was read, and this machine has such a thing at all.
  template <typename Section>
  static bool is_here(const std::optional<Section>& section) {
    return section && section->getCoverage().getAbsent().size() == 0;
  }
  void add(Thing thing) {
    thing.host = host_;
    thing.wanted = wanted_;
    const auto known = std::ranges::find_if(things_, [&](const Thing& other) {
      return !thing.path.empty() && other.vmid == thing.vmid && other.path == thing.path;
    });
    if (known == things_.end())
      things_.push_back(std::move(thing));
    else if (known->real.empty())
      known->real = std::move(thing.real);
  }

  bool is_this_host(std::string_view name) const {
    if (!name.empty()) return name == host_;
    return lab_.getHosts().size() == 0 || view(lab_.getHosts()[0].getName()) == host_;
  }

  void add_kept() {
    for (const auto keep : lab_.getKeep())
      if (is_this_host(view(keep.getHost())) && !keep.getLose())
        add({.vmid = keep.getVmid(),
             .path = str(keep.getPath()),
             .what = keep.getWhy().size() == 0
                         ? "kept by lab.toml"
                         : fmt::format("kept by lab.toml: {}", view(keep.getWhy()))});
  }
  void give_up() {
    for (const auto keep : lab_.getKeep()) {
      if (!is_this_host(view(keep.getHost())) || !keep.getLose()) continue;
      for (auto& thing : things_)
        if (thing.vmid == keep.getVmid() && !thing.path.empty() &&
            is_below(thing.path, view(keep.getPath())))
          thing.given_up = true;
    }
  }

  void add_network() {
    add({.path = "/etc/network", .what = "configuration of the network"});
    if (audit_.network->getWireguard().size() != 0)
      add({.path = "/etc/wireguard", .what = "configuration of WireGuard"});
  }

  void add_schedules() {
    for (const auto row : audit_.schedules->getCrontabs())
      if (row.getJobs() != 0) add({.path = str(row.getPath()), .what = "cron jobs"});
    for (const auto row : audit_.schedules->getScripts())
      if (row.getRuns())
        add({.path = fmt::format("{}/{}", view(row.getFolder()), view(row.getName())),
             .what = "script that cron runs"});
  }

  void add_pbs() {
    for (const auto server : audit_.pbs->getServers())
      add({.vmid = server.getVmid(),
           .path = "/etc/proxmox-backup",
           .real = str(server.getHostConfigPath()),
           .what = "configuration of Proxmox Backup Server"});
    for (const auto storage : audit_.pbs->getStorages())
      if (storage.getEncrypted() || storage.getMasterKey())
        add({.path = "/etc/pve/priv/storage", .what = "encryption keys of backups"});
  }

  /// Where a path that an application in Docker sees lies in the place that runs it.
  std::string out_of_docker(std::uint32_t vmid, std::string_view container,
                            const std::string& path) const {
    std::string best;
    std::string found;
    for (const auto row : audit_.arr->getPaths()) {
      const auto inside = str(row.getPath());
      if (row.getVmid() != vmid || view(row.getContainer()) != container ||
          row.getPlacePath().size() == 0 || !is_below(path, inside) || inside.size() < best.size())
        continue;
      best = inside;
      found = str(row.getPlacePath()) + path.substr(inside == "/" ? 0 : inside.size());
    }
    return found;
  }

  void add_arr() {
    for (const auto app : audit_.arr->getApps()) {
      const auto data = str(app.getDataPath());
      auto path = app.getContainer().size() == 0
                      ? data
                      : out_of_docker(app.getVmid(), view(app.getContainer()), data);
      if (path.empty() && app.getVmid() == 0) path = str(app.getHostPath());
      add({.vmid = app.getVmid(),
           .path = path,
           .real = str(app.getHostPath()),
           .what = fmt::format("configuration of {}{}", view(app.getApp()),
                               in_docker(view(app.getContainer())))});
      const auto file = str(app.getConfigFile());
      if (!file.empty() && !is_below(file, path))
        add({.vmid = app.getVmid(),
             .path = file,
             .what = fmt::format("configuration file of {}", view(app.getApp()))});
    }
  }

  void add_jellyfin() {
    for (const auto server : audit_.jellyfin->getServers()) {
      const bool docker = server.getContainer().size() != 0;
      const auto where = in_docker(view(server.getContainer()));
      const auto place = [&](capnp::Text::Reader own, capnp::Text::Reader on_host) {
        if (!docker) return str(own);
        return server.getVmid() == 0 ? str(on_host) : std::string();
      };
      add({.vmid = server.getVmid(),
           .path = place(server.getConfigPath(), server.getHostConfigPath()),
           .real = str(server.getHostConfigPath()),
           .what = "configuration of jellyfin" + where});
      add({.vmid = server.getVmid(),
           .path = place(server.getDataPath(), server.getHostDataPath()),
           .real = str(server.getHostDataPath()),
           .what = "database of jellyfin" + where});
    }
  }

  void add_media_paths() {
    for (const auto row : audit_.arr->getPaths())
      add({.vmid = row.getVmid(),
           .path = str(row.getPlacePath()),
           .real = str(row.getHostPath()),
           .what = fmt::format("{} of {}", view(row.getPurpose()), view(row.getApp()))});
  }
  void add_libraries() {
    for (const auto row : audit_.jellyfin->getLibraries())
      add({.vmid = row.getVmid(),
           .path = str(row.getPlacePath()),
           .real = str(row.getHostPath()),
           .what = fmt::format("library '{}' of jellyfin", view(row.getName()))});
  }
  void add_datastores() {
    for (const auto row : audit_.pbs->getDatastores())
      add({.vmid = row.getVmid(),
           .path = str(row.getPath()),
           .real = str(row.getHostPath()),
           .what = fmt::format("datastore '{}'", view(row.getName()))});
  }
  void add_guests() {
    for (const auto guest : audit_.guests->getGuests()) {
      const bool container = guest.getType() == schema::AuditGuests::Type::LXC;
      add({.vmid = guest.getVmid(),
           .path = "/",
           .what = fmt::format("{} of '{}'", container ? "root file system" : "disks",
                               view(guest.getName()))});
    }
    for (const auto disk : audit_.guests->getDisks())
      if (disk.getGuestPath().size() != 0 && view(disk.getKey()) != "rootfs")
        add({.vmid = disk.getVmid(),
             .path = str(disk.getGuestPath()),
             .what = fmt::format("volume {}", view(disk.getKey()))});
  }
  void add_datasets() {
    for (const auto row : audit_.zfs->getDatasets()) {
      const auto point = str(row.getMountpoint());
      add({.path = point.starts_with('/') && row.getMounted() ? point : "",
           .what = fmt::format("dataset {}", view(row.getName())),
           .pool = str(row.getName()).substr(0, view(row.getName()).find('/'))});
    }
  }

  static std::string in_docker(std::string_view container) {
    return container.empty() ? std::string() : fmt::format(" (Docker: {})", container);
  }

  schema::Lab::Reader lab_;
  std::string host_;
  const HostAudit& audit_;
  bool wanted_ = true;
  std::vector<Thing> things_;
};

}  // namespace

std::string Thing::place() const {
  const auto where = path.empty() ? what : path;
  return vmid == 0 ? fmt::format("{} of {}", where, host)
                   : fmt::format("{} in guest {} of {}", where, vmid, host);
}

std::vector<Thing> things_on(schema::Lab::Reader lab, const std::string& host,
                             const HostAudit& audit) {
  return Gathering(lab, host, audit).gather();
}

}  // namespace relab::controller
