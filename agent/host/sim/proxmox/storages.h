#pragma once

/// The storages of a simulated Proxmox: its storage.cfg, where their volumes lie, and what they
/// tell.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/sim/part.h"
#include "agent/kinds/support/json.h"
#include "agent/kinds/support/pve_config.h"
#include "agent/kinds/support/section_config.h"

namespace relab::agent::sim {

/// A volume of a guest, as a storage is asked for it.
struct Volume {
  std::string storage;
  /// "subvol-105-disk-0"
  std::string name;
  /// Of ZFS: "rpool/data/subvol-105-disk-0"; empty: the storage is of another kind.
  std::string dataset = {};
  /// Where it is seen on this machine.
  std::string path = {};
  std::uint64_t bytes = 0;
};

class Storages {
 public:
  /// Writes /etc/pve/storage.cfg as the facts tell, with the files of secrets beside it.
  Storages(SimHost& host, World world, std::string node);

  /// As the file names it now. Fault::missing in Proxmox's words.
  Result<ConfigSection> named(std::string_view id) const;
  /// Whether it takes "vztmpl", "rootdir" ...
  static bool takes(const ConfigSection& storage, std::string_view content);

  /// "local:vztmpl/x.tar.zst" is /var/lib/vz/template/cache/x.tar.zst. Faults in Proxmox's words.
  Result<std::string> path_of(std::string_view volid) const;
  /// A volume of a container by its name on that storage.
  Result<Volume> volume(const std::string& storage, const std::string& name,
                        std::uint64_t bytes) const;
  /// Where a path of a container lies on this machine, by the directories among its mounts.
  std::optional<Path> host_path(const PveConfig& config, std::string_view path) const;

  /// What `pvesh get /nodes/NODE/storage` lists.
  Json states() const;
  /// What `pvesh get /nodes/NODE/storage/ID/content` lists of templates.
  Result<Json> templates(std::string_view id) const;

  /// No more fits there from now on.
  void fill(const std::string& id) { full_.push_back(id); }
  bool is_full(std::string_view id) const;
  /// Whether somebody wanted room there since it is full.
  bool met_full(const std::string& id) const { return met_full_.contains(id); }
  bool knows(std::string_view id) const { return named(id).has_value(); }

 private:
  /// Of a storage on another machine, which is asked for.
  struct Remote {
    bool active = false;
    std::uint64_t total = 0;
    std::uint64_t used = 0;
    std::uint64_t available = 0;
  };
  void write(World world);
  Result<std::vector<ConfigSection>> all() const;
  Json state_of(const ConfigSection& storage) const;

  SimHost& host_;
  std::string node_;
  std::map<std::string, Remote> remotes_;
  std::vector<std::string> full_;
  mutable std::set<std::string> met_full_;
};

}  // namespace relab::agent::sim
