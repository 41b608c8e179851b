#pragma once

/// The guests of this Proxmox host: what their configuration files say, and what state Proxmox
/// tells.

#include <optional>
#include <string>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/support/gaps.h"
#include "agent/kinds/support/pve_config.h"

namespace relab::agent {

struct PveGuest {
  std::uint32_t vmid = 0;
  GuestType type = GuestType::lxc;
  std::string name;
  std::string status;  ///< running, stopped, as Proxmox tells; "" if it does not tell
  PveConfig config;

  bool running() const { return status == "running"; }
  /// "container 130 (sonarr)", "VM 200 (homeassistant)".
  std::string title() const;
};

struct PveGuests {
  std::string absent = {};  ///< not empty: this is no Proxmox host, and why
  std::string node = {};
  std::vector<PveGuest> guests = {};  ///< by vmid
};

/// The guest of this number; nothing if there is none on this node. Fault::unsupported if this is
/// no Proxmox host, ::damaged if its configuration and pvesh do not tell the same.
Result<std::optional<PveGuest>> read_pve_guest(Host& host, std::uint32_t vmid);

/// What `read_pve_guests` is to read of the states; a call of pvesh takes a second.
enum class States { all, of_containers };

/// Every guest of this node. An error where this is, or may be, a Proxmox host and its
/// configuration cannot be read; what fails for single guests goes to `gaps`.
Result<PveGuests> read_pve_guests(Host& host, States states, Gaps& gaps);

}  // namespace relab::agent
