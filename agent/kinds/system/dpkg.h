#pragma once

/// What dpkg has, by its own word.

#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"

namespace relab::agent::system {

struct Package {
  std::string name;
  std::string architecture;
  std::string version;
  /// Two letters: what is wanted and what is. "ii", "hi", "rc", "iU".
  std::string status;
  /// It has to be installed anew: its files are in disorder.
  bool broken = false;

  /// It is on the machine, whole and configured.
  bool is_installed() const;
  /// An installation, or a removal, of it was begun and not ended.
  bool is_interrupted() const;
  bool is_held() const { return status.starts_with('h'); }

  bool operator==(const Package&) const = default;
};

/// All that dpkg knows, out of the columns that we ask dpkg-query for. Fault::damaged for a line of
/// another form, and for none at all: every machine has packages.
Result<std::vector<Package>> parse_packages(std::string_view text);

/// Where a package comes from that is not installed yet.
struct PackageFile {
  std::string name;
  std::string version;
  std::string architecture;

  bool operator==(const PackageFile&) const = default;
};

/// Out of the fields that `dpkg-deb --field` prints. Fault::damaged unless all three are there.
Result<PackageFile> parse_package_file(std::string_view text);

class Dpkg {
 public:
  static Result<Dpkg> read(Host& host);

  /// Of this machine's own architecture, or of none; null if dpkg does not know it.
  const Package* find(std::string_view name) const;
  bool fits(std::string_view architecture) const;
  /// What dpkg would have to go on with, in words; empty if nothing.
  const std::string& interrupted() const { return interrupted_; }

 private:
  std::vector<Package> packages_;
  std::string architecture_;
  std::string interrupted_;
};

}  // namespace relab::agent::system
