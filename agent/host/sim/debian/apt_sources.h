#pragma once

/// Where apt takes packages from on a simulated machine, and the lists it has of it.

#include <string>
#include <string_view>
#include <vector>

#include "agent/host/sim/debian/catalogue.h"
#include "agent/host/sim/sim_host.h"

namespace relab::agent::sim {

/// One component of one suite of one URI.
struct AptSource {
  std::string uri;
  std::string suite;
  /// Empty: a flat one, whose suite is a path.
  std::string component;
  std::string signed_by;
  bool trusted = false;
  Publisher publisher = {};

  /// Names of files in /var/lib/apt/lists.
  std::string release_file() const;
  std::string packages_file(std::string_view architecture) const;
  /// "enterprise.proxmox.com"
  std::string server() const;
};

/// Files of sources, as apt's options name them.
struct AptPlaces {
  std::string list = "/etc/apt/sources.list";
  std::string parts = "/etc/apt/sources.list.d";
};

/// Those that are enabled, and of packages rather than of their source. Fault::damaged, with apt's
/// own words, if a file cannot be read.
Result<std::vector<AptSource>> read_sources(SimHost& host, const AptPlaces& places);

inline constexpr auto apt_lists = "/var/lib/apt/lists";

}  // namespace relab::agent::sim
