#pragma once

/// Where the paths of a machine and of its guests lie, by its audit, and what becomes of that when
/// the operating system is installed anew: docs/survival.md.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "schema/lab.capnp.h"
#include "schema/task.capnp.h"

namespace relab::controller {

/// The newest facts of a host; null: it was not read.
struct HostAudit {
  std::optional<schema::AuditZfs::Facts::Reader> zfs = {};
  std::optional<schema::AuditDisks::Facts::Reader> disks = {};
  std::optional<schema::AuditGuests::Facts::Reader> guests = {};
  std::optional<schema::AuditArr::Facts::Reader> arr = {};
  std::optional<schema::AuditJellyfin::Facts::Reader> jellyfin = {};
  std::optional<schema::AuditPbs::Facts::Reader> pbs = {};
  std::optional<schema::AuditNetwork::Facts::Reader> network = {};
  std::optional<schema::AuditSchedules::Facts::Reader> schedules = {};
  std::optional<schema::AuditServices::Facts::Reader> services = {};
};

/// What becomes of something.
struct Lot {
  bool survives = false;
  /// "on datapool/media, of the pool of data 'datapool'"
  std::string why;
};

class Ground {
 public:
  /// Both must outlive it.
  Ground(schema::Lab::Reader lab, std::string host, const HostAudit& audit)
      : lab_(lab), host_(std::move(host)), audit_(audit) {}

  /// Of a path of the host itself. Whatever the audit does not place is lost.
  Lot of_host_path(const std::string& path) const;
  /// Of a path as a container sees it. Of a virtual machine only its disks are known: all of them
  /// survive, or whatever is on them is lost.
  Lot of_guest_path(std::uint32_t vmid, const std::string& path) const;
  bool is_virtual_machine(std::uint32_t vmid) const;
  /// Of the first thing that is mounted below a path and is lost; nothing if there is none.
  std::optional<Lot> lost_below_host(const std::string& path) const;
  std::optional<Lot> lost_below_guest(std::uint32_t vmid, const std::string& path) const;
  /// Where the host has a path of a guest, if no link is on its way; empty: nobody knows.
  std::string on_host(std::uint32_t vmid, const std::string& path) const;
  /// Of a volume of a guest, by Proxmox's storage and name.
  Lot of_volume(const std::string& storage, const std::string& volume) const;
  /// Of an imported pool. It survives if lab.toml declares it with nothing but disks of data and
  /// the audit shows it on these, or if all its disks are for backups.
  Lot of_pool(const std::string& pool) const;
  /// Of a pool that is on the disks and not imported. It survives if all its disks are for backups.
  Lot of_exported_pool(const std::string& pool) const;
  /// Whether lab.toml declares a pool of that name for this host, with nothing but disks of data:
  /// what is demanded of such a pool, its gates demand.
  bool declares_data(std::string_view pool) const;
  /// By lab.toml's role of the disk with this serial number.
  Lot of_disk(const std::string& serial) const;

 private:
  using Vdevs = capnp::List<schema::AuditZfs::Vdev>::Reader;
  /// Whether the layout of the pool has nothing but disks of the role `backup`.
  bool lies_on_backups(Vdevs vdevs, const std::string& pool) const;
  Lot of_machine(std::uint32_t vmid) const;
  /// What has a path of a container: a disk of it, or a bind mount; and where that is on the host.
  struct Holder {
    std::optional<schema::AuditGuests::Disk::Reader> disk = {};
    std::string on_host = {};
  };
  Holder holder_of(std::uint32_t vmid, const std::string& path) const;
  /// Why a declared pool is not the one that the audit shows by that name; empty: it is, or the
  /// audit shows none.
  std::string place_concern(schema::Lab::Pool::Reader pool) const;
  Lot of_dataset(const std::string& name) const;
  Lot of_mount(schema::AuditDisks::Mount::Reader mount) const;
  Lot of_guest_disk(schema::AuditGuests::Disk::Reader disk) const;
  /// Where the host has it mounted, or has it as a folder; empty: nowhere.
  std::string folder_of(schema::AuditGuests::Disk::Reader disk) const;

  schema::Lab::Reader lab_;
  std::string host_;
  const HostAudit& audit_;
};

/// The pool that has what is mounted at "/", whatever its name. Empty: none has, or the audit does
/// not tell.
std::string root_pool_of(const HostAudit& audit);

/// The serial number of a disk that the kernel calls by this name now; empty: it tells none.
std::string serial_of(schema::AuditDisks::Facts::Reader disks, std::string_view kernel_name);

/// Whether the path is the folder, or below it.
bool is_below(std::string_view path, std::string_view folder);

}  // namespace relab::controller
