#pragma once

/// A machine as lab.toml describes what stands there today, worked out as far as an audit would see
/// it. What the file does not tell is taken for granted, and said so.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "schema/lab.capnp.h"
#include "schema/world.capnp.h"

namespace relab::rehearsal {

/// A disk of the machine, with the names that a kernel and udev would give it.
struct DescribedDisk {
  schema::Lab::Disk::Reader disk;
  /// "sda".
  std::string name;
  /// Below /dev/disk/by-id: "ata-ST2000DM008_ZDH1A001".
  std::string by_id;
  /// The pool that it is in; null: none.
  const schema::Lab::Pool::Reader* pool = nullptr;
  std::uint64_t size = 0;

  bool external() const { return disk.getRole() == schema::Lab::Disk::Role::BACKUP; }
  bool of_system() const { return disk.getRole() == schema::Lab::Disk::Role::OS; }
};

/// A file system of a pool.
struct DescribedDataset {
  std::string name;
  std::string mountpoint;
  /// Of it alone.
  std::uint64_t used = 0;
  /// 0: no limit.
  std::uint64_t refquota = 0;
  bool mounted = true;
};

class Described {
 public:
  /// Both are borrowed. `time` is that on the machine.
  Described(schema::Lab::Reader whole, schema::Lab::Host::Reader machine, Instant time);

  schema::Lab::Reader lab;
  schema::Lab::Host::Reader host;
  Instant began;
  /// Pools of this host.
  std::vector<schema::Lab::Pool::Reader> pools;
  std::vector<DescribedDisk> disks;
  /// Guests that exist today, by their numbers.
  std::vector<schema::Lab::Guest::Reader> guests;
  /// Each behind the one that it is in.
  std::vector<DescribedDataset> datasets;
  std::vector<std::string> assumptions;

  std::vector<const DescribedDisk*> disks_of(std::string_view pool) const;
  /// What fits into a pool, redundancy taken off, in bytes.
  std::uint64_t capacity_of(const schema::Lab::Pool::Reader& pool) const;
  const schema::Lab::Pool::Reader* pool_of_system() const;
  /// By its name; one of defaults if there is none.
  schema::Lab::Vlan::Reader vlan(std::string_view name) const;
  /// "24", of its subnet.
  static unsigned prefix(schema::Lab::Vlan::Reader vlan);
  /// "container 110 (jellyfin)", as an audit says it.
  static std::string title(schema::Lab::Guest::Reader guest);
  static bool is_container(schema::Lab::Guest::Reader guest);
  /// The end of a guest's network cable on the host: "veth110i0".
  static std::string cable(schema::Lab::Guest::Reader guest);
  /// Of a guest's root disk on the host; empty: its storage is no pool of this machine.
  std::string root_of(schema::Lab::Guest::Reader guest) const;
  /// A directory in a guest as the host sees it.
  std::string on_host(schema::Lab::Guest::Reader guest, const std::string& path) const;

 private:
  void take_disks();
  void take_datasets();
  void take_system();
  void take_data(const schema::Lab::Pool::Reader& pool);
};

/// A device of the host that a guest has.
struct GuestDevice {
  /// "dev0"
  std::string key;
  std::string what;
};

/// Render nodes by their numbers, as cards are found: the names change, these are of today.
std::vector<GuestDevice> devices_of(const Described& described, schema::Lab::Guest::Reader guest);

/// The kernel's name of the disk that it finds behind so many others: "sda".
std::string disk_name(std::size_t index);
/// Numbers that stay the same for the same words.
std::uint64_t number_of(std::string_view words);
/// "02:..." by the same rule, for what has no hardware address in the file.
std::string mac_of(std::string_view words);

/// Each writes its section of the world.
void describe_storage(const Described& described, schema::World::Builder world);
/// Adds the external disks of lab.toml that a world does not have, for a person to plug in. What is
/// assumed of them.
std::vector<std::string> add_unplugged(const Described& described, schema::World::Builder world);
void describe_guests(const Described& described, schema::World::Builder world);
/// What runs in containers, as the section of guests has it.
void describe_programs(const Described& described, schema::AuditGuests::Facts::Builder facts);
void describe_services(const Described& described, schema::World::Builder world);
void describe_machine(const Described& described, schema::World::Builder world);
void describe_network(const Described& described, schema::World::Builder world);

}  // namespace relab::rehearsal
