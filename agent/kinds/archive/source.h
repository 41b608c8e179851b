#pragma once

/// Files that are to be archived, of this machine or of a container, and how tar is asked for them.

#include <string>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent::archive {

/// Where copies of databases stand while they are archived, below the folder of the archive.
inline constexpr auto copies_name = "relab-databases.part";

/// The database of Proxmox's own file system, and where that shows it. Nothing but pmxcfs may write
/// to it while that runs.
inline constexpr auto proxmox_database = "/var/lib/pve-cluster/config.db";
inline constexpr auto proxmox_view = "/etc/pve";

struct Source {
  /// 0: this machine.
  std::uint32_t vmid = 0;
  /// The folder that stands for / of the paths.
  std::string root = "/";
  /// Absolute.
  std::vector<std::string> paths;
  std::vector<std::string> exclude = {};

  /// Whether tar takes what lies at this path, as far as the names tell.
  bool has(std::string_view path) const;
  std::string title() const;
  /// The command as it is run there.
  std::vector<std::string> command(std::vector<std::string> argv) const;
};

/// Databases of this machine that were copied, by their paths, below `folder`/copies_name.
struct Copies {
  Path folder;
  std::vector<std::string> databases = {};

  Path place() const { return folder / copies_name; }
  Path of(const std::string& database) const { return place().string() + database; }
};

/// Writes a tar stream to its standard output, names as "./etc/hosts". The copies stand in it under
/// the names of what they are copies of.
Command tar_of(const Source& source, const Copies& copies = {});

/// The paths of the source that are not there.
Result<std::vector<std::string>> missing_of(Host& host, const Source& source);

/// Fault::conflict if a path is itself a link, and what it leads to is not in the source: tar
/// archives the link alone.
Result<void> check_links(Host& host, const Source& source);

/// Fault::conflict if another file system is mounted below a path, and is neither named nor
/// excluded: tar passes over it, and says nothing.
Result<void> check_mounts(Host& host, const Source& source);

/// What tar said of its work, beside its stream.
struct TarWords {
  /// Changed or gone while they were read.
  std::vector<std::string> changed;
};
/// Fault::damaged if it did not archive everything.
Result<TarWords> judge_tar(const Output& output);

}  // namespace relab::agent::archive
