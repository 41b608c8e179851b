#pragma once

/// What one guest's configuration says of disks, networks and devices, as rows of the facts. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "agent/kinds/support/pve_config.h"

namespace relab::agent::guests {

struct DiskRow {
  std::string key;
  std::string storage = {};  ///< "" for a path of the host
  std::string volume = {};
  std::uint64_t size = 0;
  std::string guest_path = {};
  std::string options = {};
  bool backup = false;
  bool read_only = false;
  bool cdrom = false;
  bool unused = false;
};

struct NetworkRow {
  std::string key;
  std::string name = {};
  std::string model = {};
  std::string bridge = {};
  std::uint16_t tag = 0;
  std::string trunks = {};
  std::string mac = {};
  std::string ip = {};
  std::string gateway = {};
  std::string ip6 = {};
  std::string gateway6 = {};
  std::uint32_t mtu = 0;
  std::string rate = {};
  bool firewall = false;
  bool link_down = false;
};

struct DeviceRow {
  std::string key;
  std::string what;
  std::string options;
};

struct PendingRow {
  std::string key;
  std::string value;
  bool deleted;
};

std::vector<DiskRow> disks_of(const PveSection& section, GuestType type);
/// Directories of the host that are bound into a container.
std::vector<GuestMount> binds_of(const PveSection& section, GuestType type);
std::vector<NetworkRow> networks_of(const PveSection& section, GuestType type);
std::vector<DeviceRow> devices_of(const PveSection& section);
/// Lines that no other row or field tells, lxc.* among them; values that may be secret are left
/// out.
std::vector<std::pair<std::string, std::string>> raw_lines_of(const PveSection& section);
std::vector<PendingRow> pending_of(const PveSection& section);

}  // namespace relab::agent::guests
