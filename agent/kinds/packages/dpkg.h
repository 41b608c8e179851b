#pragma once

/// dpkg's own list of the packages it knows.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::packages {

struct Package {
  std::string name = {};
  std::string version = {};
  std::string status = {};

  bool operator==(const Package&) const = default;
};

struct Dpkg {
  /// Of every package, by its status line ("install ok installed").
  std::map<std::string, std::uint32_t> counts = {};
  /// Those that matter, by name.
  std::vector<Package> packages = {};

  /// The version of a package that is installed and matters, or "".
  std::string version_of(std::string_view name) const;
};

/// Reads /var/lib/dpkg/status. Fault::damaged for a text without packages, and for an entry
/// without name or status.
Result<Dpkg> parse_dpkg_status(std::string_view text);

/// What the lab stands on: its virtualisation, storage, kernels, containers and drivers.
bool is_notable(std::string_view name);

}  // namespace relab::agent::packages
