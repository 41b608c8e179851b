#include "controller/adopt/storage.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

#include "common/wire/message.h"
#include "controller/survival/ground.h"

namespace relab::controller {

namespace {

using Facts = schema::AuditZfs::Facts::Reader;
using Vdev = schema::AuditZfs::Vdev::Reader;

/// A pool as its vdevs are.
struct Layout {
  std::string kind;
  std::vector<std::string> serials;
  /// Why lab.toml cannot have it; empty: it can.
  std::string obstacle;
};

/// As a lab file takes them.
bool is_serial(std::string_view text) {
  constexpr std::size_t least = 3;
  constexpr std::size_t greatest = 64;
  constexpr std::string_view more = "_.+-";
  return text.size() >= least && text.size() <= greatest && std::ranges::all_of(text, [&](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  more.find(c) != std::string_view::npos;
         });
}

std::string layout_name(std::string_view kind) {
  for (const auto* known : {"mirror", "raidz1", "raidz2", "raidz3"})
    if (kind == known) return known;
  // ZFS calls the first of them "raidz", too.
  if (kind == "raidz") return "raidz1";
  return kind == "disk" ? "single" : "";
}

Layout layout_of(Facts zfs, std::string_view pool) {
  Layout layout;
  unsigned tops = 0;
  for (const auto vdev : zfs.getVdevs()) {
    if (view(vdev.getPool()) != pool || vdev.getDepth() == 0) continue;
    if (view(vdev.getRole()) != "data") {
      layout.obstacle = fmt::format("it has a vdev for {}", str(vdev.getRole()));
      continue;
    }
    if (vdev.getDepth() == 1) {
      ++tops;
      layout.kind = layout_name(view(vdev.getKind()));
      if (layout.kind.empty())
        layout.obstacle = fmt::format("it has a vdev of the kind {}", str(vdev.getKind()));
    }
    if (view(vdev.getKind()) != "disk") continue;
    if (!is_serial(view(vdev.getSerial())))
      layout.obstacle = fmt::format("its disk {} has no serial number that a lab file can have",
                                    str(vdev.getName()));
    layout.serials.push_back(str(vdev.getSerial()));
  }
  if (tops > 1) layout.obstacle = fmt::format("it has {} vdevs", tops);
  if (tops == 0) layout.obstacle = "its vdevs are not known";
  return layout;
}

/// Of the root file system; empty: it is in none.
std::string pool_of_root(const AdoptedAudit& audit) {
  for (const auto mount : audit.disks->getMounts()) {
    const auto source = str(mount.getSource());
    if (view(mount.getPoint()) == "/" && view(mount.getType()) == "zfs")
      return source.substr(0, source.find('/'));
  }
  return {};
}

/// Disks that hold the root file system otherwise than in a pool.
std::set<std::string> disks_of_root(schema::AuditDisks::Facts::Reader disks) {
  std::set<std::string> names;
  for (const auto user : disks.getUsers())
    if (view(user.getKind()) == "mount" &&
        (view(user.getName()) == "/" || view(user.getName()).starts_with("/boot")))
      names.insert(str(user.getDisk()));
  for (const auto volume : disks.getVolumes())
    if (any_in(volume.getMountpoints(), [](auto point) { return view(point) == "/"; }))
      for (const auto disk : volume.getDisks()) names.insert(str(disk));
  return names;
}

class Storage {
 public:
  explicit Storage(const AdoptedAudit& audit) : audit_(audit) {}

  AdoptedStorage take() {
    if (audit_.zfs) add_pools();
    add_others();
    std::ranges::stable_sort(found_.disks, {}, [](const auto& disk) {
      return disk.role == "os" ? 0 : disk.role == "data" ? 1 : 2;
    });
    return std::move(found_);
  }

 private:
  void add_pools() {
    const auto root = pool_of_root(audit_);
    for (const auto pool : audit_.zfs->getPools()) {
      const auto name = str(pool.getName());
      const auto layout = layout_of(*audit_.zfs, name);
      const bool external = std::ranges::any_of(layout.serials, [&](const auto& serial) {
        const auto disk = disk_with(serial);
        return disk && disk->getUsb();
      });
      if (!layout.obstacle.empty() || external || (name == "rpool" && name != root)) {
        leave_out(name, external ? "it is on an external disk"
                        : layout.obstacle.empty()
                            ? "a pool of data must not be called so: the "
                              "Proxmox installer renames any pool of that name"
                            : layout.obstacle);
        for (const auto& serial : layout.serials) seen_.insert(serial);
        continue;
      }
      add_pool(name, layout, name == root ? "os" : "data");
    }
  }

  void leave_out(const std::string& pool, const std::string& why) {
    found_.left_out.push_back(fmt::format(
        "The pool '{}' is left out: {}. What is on it counts as lost in every plan.", pool, why));
  }

  void add_pool(const std::string& name, const Layout& layout, const std::string& role) {
    AdoptedPool pool{.name = name, .layout = layout.kind, .disks = {}};
    for (const auto& serial : layout.serials) {
      const auto disk = disk_with(serial);
      pool.disks.push_back(add_disk(serial, disk, role));
    }
    for (const auto dataset : audit_.zfs->getDatasets()) {
      if (view(dataset.getName()) != name || view(dataset.getEncryption()) == "off" ||
          dataset.getEncryption().size() == 0)
        continue;
      pool.encrypted = true;
      pool.key_format = str(dataset.getKeyFormat());
    }
    found_.pools.push_back(std::move(pool));
  }

  /// Disks that are in no pool: of the system, external ones, and others, which a file leaves out.
  void add_others() {
    const auto of_root = disks_of_root(*audit_.disks);
    for (const auto disk : audit_.disks->getDisks()) {
      const auto serial = str(disk.getSerial());
      if (seen_.contains(serial) && !serial.empty()) continue;
      const auto title = fmt::format("{} ({}, serial {})", str(disk.getName()),
                                     str(disk.getModel()), serial.empty() ? "not told" : serial);
      const bool system = of_root.contains(str(disk.getName()));
      if (serial.empty()) {
        found_.left_out.push_back(fmt::format(
            "The disk {} is left out: relab knows disks by their serial numbers.", title));
      } else if (system) {
        add_disk(serial, disk, "os");
      } else if (disk.getUsb()) {
        add_disk(serial, disk, "backup");
        found_.left_out.push_back(
            fmt::format("The disk {} is plugged in, and taken for one of backups. If it has "
                        "anything of yours on it, it is not: give it "
                        "another role, or leave it out.",
                        title));
      } else {
        found_.left_out.push_back(fmt::format(
            "The disk {} is left out: it is in no pool. relab leaves alone what it is not told of.",
            title));
      }
    }
  }

  std::optional<schema::AuditDisks::Disk::Reader> disk_with(const std::string& serial) const {
    for (const auto disk : audit_.disks->getDisks())
      if (view(disk.getSerial()) == serial) return disk;
    return std::nullopt;
  }

  /// Its name in the file.
  std::string add_disk(const std::string& serial,
                       const std::optional<schema::AuditDisks::Disk::Reader>& disk,
                       const std::string& role) {
    seen_.insert(serial);
    const auto* stem = role == "backup" ? "usb" : role.c_str();
    AdoptedDisk added{.name = fmt::format("{}{}", stem, ++counts_[role]),
                      .serial = serial,
                      .model = disk ? str(disk->getModel()) : std::string(),
                      .size = disk ? nominal_size(disk->getSize()) : 0,
                      .role = role};
    found_.disks.push_back(added);
    return added.name;
  }

  const AdoptedAudit& audit_;
  AdoptedStorage found_;
  std::set<std::string> seen_;
  std::map<std::string, unsigned> counts_;
};

}  // namespace

bool AdoptedStorage::has(const std::string& path) const {
  return std::ranges::any_of(pools,
                             [&](const auto& pool) { return is_below(path, "/" + pool.name); });
}

AdoptedStorage adopt_storage(const AdoptedAudit& audit) { return Storage(audit).take(); }

void write(const AdoptedStorage& storage, LabText& out) {
  out.section(
      "disks",
      {"`role` decides what may happen to a disk: an installation overwrites `os`, and must "
       "never touch `data`. Compare every serial number with the label on the disk."});
  for (const auto& disk : storage.disks) {
    out.table("[[disks]]");
    out.text("name", disk.name);
    out.text("serial", disk.serial);
    out.text("model", disk.model);
    out.size("size", disk.size);
    out.text("role", disk.role);
  }
  if (!storage.left_out.empty()) out.raw("\n");
  for (const auto& line : storage.left_out) out.remark(line);
  out.section("pools");
  for (const auto& pool : storage.pools) {
    out.table("[[pools]]");
    out.text("name", pool.name);
    out.text("layout", pool.layout);
    out.texts("disks", pool.disks);
    out.flag("encrypted", pool.encrypted);
    out.text("key_format", pool.key_format);
  }
}

}  // namespace relab::controller
