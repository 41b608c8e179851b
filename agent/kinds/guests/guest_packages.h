#pragma once

/// Packages into a container that may have no network: as a source of apt of their own, so that it
/// is apt that says what is needed.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/host/delivery.h"
#include "agent/host/host.h"

namespace relab::agent::guests {

/// "NAME_VERSION_ARCHITECTURE.deb", as Debian names its packages.
struct PackageName {
  std::string name;
  std::string version;

  bool operator==(const PackageName&) const = default;
};
/// Of a parcel. Fault::invalid if it is not named so.
Result<PackageName> package_name(const Parcel& parcel);

/// Those for guests of this release: all that lie in no folder, and those in the folder of its
/// name.
std::vector<Parcel> parcels_for(const std::vector<Parcel>& parcels, std::string_view suite);

/// What is to be installed, and with what in reach.
struct Installation {
  std::uint32_t vmid = 0;
  /// "relab-agent=0.5.0"
  std::vector<std::string> items;
  std::vector<Parcel> parcels;
  std::chrono::seconds patience;
};

/// Brings all of the parcels, sees that they came whole, and has apt install the items with what
/// they need; nothing of it stays in the container. Fault::damaged if apt cannot.
Result<void> install_inside(Host& host, const Installation& installation);

/// Takes these packages away, and leaves their configuration. Fault::damaged if dpkg cannot,
/// because others need them for one.
Result<void> remove_inside(Host& host, std::uint32_t vmid, const std::vector<std::string>& names,
                           std::chrono::seconds patience);

/// The shell scripts that do so in the container: given a folder, the digest of the parcels in it
/// and the items; given the names.
std::string install_script();
std::string remove_script();

}  // namespace relab::agent::guests
