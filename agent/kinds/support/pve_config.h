#pragma once

/// Configuration files of Proxmox guests (/etc/pve/nodes/NODE/{lxc,qemu-server}/VMID.conf) and the
/// property strings in them.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace relab::agent {

enum class GuestType { lxc, qemu };

std::string_view name(GuestType type);

/// The current values, the pending ones, or those of a snapshot.
struct PveSection {
  std::string name;
  std::string description;  ///< decoded, lines joined by line feeds
  /// In the file's order; raw lxc.* keys may repeat.
  std::vector<std::pair<std::string, std::string>> values;

  /// The first value of a key, or "".
  std::string value(std::string_view key) const;
  bool truth(std::string_view key) const;
};

struct PveConfig {
  PveSection current;
  PveSection pending;  ///< without values: nothing waits for a restart
  std::vector<PveSection> snapshots;
  /// Numbers of lines that no reader understands; Proxmox drops them at its next write.
  std::vector<std::size_t> bad_lines;
};

PveConfig parse_pve_config(std::string_view text, GuestType type);

/// "k=v,k=v" where one key may be left out.
class Properties {
 public:
  Properties(std::string_view text, std::string_view default_key);
  /// The value of a key, or "".
  std::string value(std::string_view key) const;
  bool truth(std::string_view key) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return values_; }

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

/// Bytes of "32G", "512M", "1.5T" or "4096", by 1024; nothing for anything else.
std::optional<std::uint64_t> parse_pve_size(std::string_view text);

/// "rootfs" is {"rootfs", none}, "mp12" is {"mp", 12}.
std::pair<std::string_view, std::optional<unsigned>> split_key(std::string_view key);

/// A path as Proxmox takes it: from the root on, and without a slash at its end.
std::string tidied(const std::string& path);

/// A place of the guest's file tree: a volume of a storage, or something of the host.
struct GuestMount {
  std::string key;        ///< rootfs, mp0, lxc.mount.entry
  std::string source;     ///< "local-zfs:subvol-130-disk-0", or a path of the host
  std::string path = {};  ///< in the guest, absolute, without a slash at its end
  std::string
      options;  ///< of mpN and rootfs: the rest of the property string; of raw lines: as written
  bool read_only = false;
  bool backup = false;  ///< vzdump takes it
  std::optional<std::uint64_t> size = {};

  /// A directory or device of the host, not a volume.
  bool of_host() const { return source.starts_with('/'); }
  /// What is mounted below the source comes along; Proxmox itself never binds so.
  bool recursive() const;
  bool of_device() const { return source == "/dev" || source.starts_with("/dev/"); }
};

/// Every mount of a container: rootfs, mpN, and lxc.mount.entry lines that bind.
std::vector<GuestMount> container_mounts(const PveSection& section);

}  // namespace relab::agent
