#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "common/base/text.h"
#include "controller/lab/hosts.h"
#include "controller/lab/programs.h"
#include "controller/survival/cron_programs.h"
#include "controller/survival/fates.h"
#include "controller/survival/file_systems.h"
#include "controller/survival/network_sources.h"

namespace relab::controller {

namespace {

/// Gathers what one host has, each path of a place once.
class Gathering {
 public:
  Gathering(schema::Lab::Reader lab, std::string host, const HostAudit& audit)
      : lab_(lab), host_(std::move(host)), audit_(audit), ground_(lab, host_, audit) {}

  std::vector<Thing> gather() && {
    add_kept();
    if (is_here(audit_.guests)) add({.path = "/etc/pve", .what = "configuration of Proxmox"});
    if (is_here(audit_.network)) add_network();
    if (audit_.schedules) add_schedules();
    if (audit_.pbs) add_pbs();
    if (audit_.arr) add_arr();
    if (audit_.jellyfin) add_jellyfin();
    if (audit_.zfs) add_foreign_pools();
    if (audit_.zfs) add_exported_pools();
    if (audit_.disks) add_file_systems();
    if (audit_.guests) add_machines();
    if (audit_.guests) add_tunnels();
    add_services();
    wanted_ = false;
    if (audit_.guests) add_programs();
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

  void add_kept() {
    for (const auto keep : lab_.getKeep())
      if (lab::host_of(keep, lab_) == host_ && !keep.getLose())
        add({.vmid = keep.getVmid(),
             .path = str(keep.getPath()),
             .what = keep.getWhy().size() == 0
                         ? "kept by lab.toml"
                         : fmt::format("kept by lab.toml: {}", view(keep.getWhy())),
             .kept = true});
  }
  void give_up() {
    const auto is_lost = [&](std::uint32_t vmid, const std::string& path) {
      return is_given_up(lab_, host_, vmid, path);
    };
    for (auto& thing : things_)
      thing.given_up = is_lost(thing.vmid, thing.path.empty() ? thing.keep_path : thing.path) ||
                       (thing.is_dataset() && is_lost(0, keep_path_of(thing.pool)));
  }

  void add_network() {
    for (auto& source : network_sources(*audit_.network, audit_.services))
      add({.path = std::move(source.path), .what = std::move(source.what)});
  }

  void add_schedules() {
    for (const auto row : audit_.schedules->getCrontabs())
      if (row.getJobs() != 0) add({.path = str(row.getPath()), .what = "cron jobs"});
    for (const auto row : audit_.schedules->getScripts())
      if (row.getRuns())
        add({.path = fmt::format("{}/{}", view(row.getFolder()), view(row.getName())),
             .real = str(row.getReal()),
             .what = "script that cron runs"});
    for (const auto row : audit_.schedules->getCronJobs())
      for (auto& program : own_programs_of(view(row.getCommand())))
        add({.path = std::move(program), .what = "program that cron runs"});
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
      const auto where = in_docker(view(server.getContainer()));
      add({.vmid = server.getVmid(),
           .path = str(server.getPlaceConfigPath()),
           .real = str(server.getHostConfigPath()),
           .what = "configuration of jellyfin" + where});
      add({.vmid = server.getVmid(),
           .path = str(server.getPlaceDataPath()),
           .real = str(server.getHostDataPath()),
           .what = "database of jellyfin" + where});
    }
  }

  /// What lab.toml says that runs in a guest now. The keys of a tunnel are nowhere else.
  void add_services() {
    for (const auto guest : lab_.getGuests()) {
      if (guest.getPlanned() || lab::host_of(guest, lab_) != host_) continue;
      for (const auto service : guest.getServices()) {
        const auto path = str(service.getPath());
        if (path.empty() || service.getPlanned()) continue;
        wanted_ = service.getKind() == schema::Lab::Service::Kind::WIREGUARD;
        add({.vmid = guest.getVmid(),
             .path = path,
             .what = fmt::format("folder of a service of '{}'", view(guest.getName()))});
      }
    }
  }

  /// What lab.toml says of what is there goes before what is usual.
  bool is_declared(std::uint32_t vmid, schema::Lab::Service::Kind kind) const {
    return any_in(lab_.getGuests(), [&](auto guest) {
      return guest.getVmid() == vmid && !guest.getPlanned() && lab::host_of(guest, lab_) == host_ &&
             any_in(guest.getServices(), [&](auto service) {
               return service.getKind() == kind && service.getPath().size() != 0 &&
                      !service.getPlanned();
             });
    });
  }

  /// Keys of tunnels are nowhere else, whatever lab.toml says of the guest.
  void add_tunnels() {
    for (const auto tunnel : audit_.guests->getTunnels()) {
      const auto path = str(tunnel.getPath());
      const auto folder = path.substr(0, path.rfind('/'));
      add({.vmid = tunnel.getVmid(),
           .path = folder == "/etc/wireguard" ? folder : path,
           .what = "keys of a tunnel"});
    }
    for (const auto container : audit_.guests->getDocker()) {
      const auto* program = lab::program_of_image(view(container.getImage()));
      if (program == nullptr || program->kind != schema::Lab::Service::Kind::WIREGUARD) continue;
      for (const auto folder : container.getFolders())
        add({.vmid = container.getVmid(),
             .path = str(folder),
             .what = "keys of a tunnel" + in_docker(view(container.getName()))});
    }
  }

  /// What was found to run in guests, and has no section of its own.
  void add_programs() {
    using Kind = schema::Lab::Service::Kind;
    static const std::set<Kind> elsewhere = {Kind::JELLYFIN, Kind::SONARR,      Kind::RADARR,
                                             Kind::PROWLARR, Kind::QBITTORRENT, Kind::SABNZBD,
                                             Kind::PBS,      Kind::WIREGUARD};
    for (const auto unit : audit_.guests->getUnits()) {
      const auto* program = lab::program_of_unit(view(unit.getName()));
      if (program == nullptr || program->folder.empty() || elsewhere.contains(program->kind) ||
          is_declared(unit.getVmid(), program->kind))
        continue;
      add({.vmid = unit.getVmid(),
           .path = std::string(program->folder),
           .what = fmt::format("usual folder of {}, which was found there", program->name)});
    }
    for (const auto container : audit_.guests->getDocker())
      for (const auto folder : container.getFolders())
        add({.vmid = container.getVmid(),
             .path = str(folder),
             .what =
                 fmt::format("folder of the Docker container '{}'", view(container.getName()))});
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
    for (const auto guest : audit_.guests->getGuests())
      if (guest.getType() == schema::AuditGuests::Type::LXC)
        add({.vmid = guest.getVmid(),
             .path = "/",
             .what = fmt::format("root file system of '{}'", view(guest.getName()))});
    for (const auto disk : audit_.guests->getDisks())
      if (disk.getGuestPath().size() != 0 && view(disk.getKey()) != "rootfs")
        add({.vmid = disk.getVmid(),
             .path = str(disk.getGuestPath()),
             .what = fmt::format("volume {}", view(disk.getKey()))});
  }
  /// Nobody can look for applications in them.
  void add_machines() {
    for (const auto guest : audit_.guests->getGuests())
      if (guest.getType() != schema::AuditGuests::Type::LXC)
        add({.vmid = guest.getVmid(),
             .path = "/",
             .what = fmt::format("disks of the virtual machine '{}'", view(guest.getName()))});
  }
  /// A pool that lab.toml does not declare as one of data, wherever it lies: nothing would ask for
  /// a copy of it. Not the one of the system itself, nor one of disks for backups.
  void add_foreign_pools() {
    const auto root_pool = root_pool_of(audit_);
    for (const auto pool : audit_.zfs->getPools()) {
      const auto name = str(pool.getName());
      if (ground_.declares_data(name) || name == root_pool || ground_.of_pool(name).survives)
        continue;
      // Its mount point does not stand for it: it has volumes, and datasets elsewhere.
      add({.what = fmt::format("pool '{}', which lab.toml does not declare as one of data", name),
           .pool = name,
           .keep_path = keep_path_of(name)});
    }
  }
  /// The same of pools that are on the disks and not imported. One with the name of another that
  /// was seen is not the one that lab.toml declares, and is told apart by its GUID.
  void add_exported_pools() {
    std::set<std::string> taken;
    for (const auto pool : audit_.zfs->getPools()) taken.insert(str(pool.getName()));
    for (const auto pool : audit_.zfs->getImportable()) {
      const auto name = str(pool.getName());
      const bool is_first = taken.insert(name).second;
      if ((is_first && ground_.declares_data(name)) || ground_.of_exported_pool(name).survives)
        continue;
      add({.what = fmt::format("pool '{}' ({}), which is not imported", name, pool.getGuid()),
           .pool = name,
           .exported = true,
           .keep_path =
               keep_path_of(is_first ? name : fmt::format("{}:{}", name, pool.getGuid()))});
    }
  }
  /// Whatever people mounted of disks that do not survive.
  void add_file_systems() {
    for (const auto mount : own_file_systems(*audit_.disks))
      if (auto point = str(mount.getPoint()); !ground_.of_host_path(point).survives)
        // A mount point of the kernel's table has no links on its way.
        add({.path = point,
             .real = point,
             .what = fmt::format("file system of {} ({})", view(mount.getSource()),
                                 view(mount.getType()))});
  }
  static std::string keep_path_of(std::string_view pool) { return fmt::format("/zpool:{}", pool); }
  std::string mount_point_of(const std::string& dataset) const {
    for (const auto row : audit_.zfs->getDatasets())
      if (view(row.getName()) == dataset && row.getMounted() &&
          view(row.getMountpoint()).starts_with('/'))
        return str(row.getMountpoint());
    return {};
  }

  void add_datasets() {
    for (const auto row : audit_.zfs->getDatasets()) {
      add({.path = mount_point_of(str(row.getName())),
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
  Ground ground_;
  bool wanted_ = true;
  std::vector<Thing> things_;
};

}  // namespace

std::string Thing::place() const {
  const auto where = path.empty() ? what : path;
  return vmid == 0 ? fmt::format("{} of {}", where, host)
                   : fmt::format("{} in guest {} of {}", where, vmid, host);
}

bool is_given_up(schema::Lab::Reader lab, const std::string& host, std::uint32_t vmid,
                 const std::string& path) {
  const auto place = path.empty() ? std::string("/") : path;
  std::size_t longest = 0;
  bool lose = false;
  for (const auto keep : lab.getKeep()) {
    if (keep.getVmid() != vmid || lab::host_of(keep, lab) != host) continue;
    if (!is_below(place, view(keep.getPath())) || keep.getPath().size() < longest) continue;
    longest = keep.getPath().size();
    lose = keep.getLose();
  }
  return lose;
}

std::vector<Thing> things_on(schema::Lab::Reader lab, const std::string& host,
                             const HostAudit& audit) {
  return Gathering(lab, host, audit).gather();
}

}  // namespace relab::controller
