#pragma once

/// Configuration files of guests as Proxmox writes them: out of an audit's facts, and after
/// changes.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "agent/kinds/support/pve_config.h"
#include "schema/guests.capnp.h"

namespace relab::agent::sim {

/// One guest as an audit found it.
struct AuditedGuest {
  GuestType type = GuestType::lxc;
  bool running = false;
  PveConfig config = {};
};

/// Every guest of the facts by its number, with a configuration in which the audit finds them
/// again.
std::map<std::uint32_t, AuditedGuest> guests_of(schema::AuditGuests::Facts::Reader facts);

/// The whole file.
std::string config_text(const PveConfig& config, GuestType type);

/// Proxmox writes keys in the order of the alphabet, and raw lines behind them.
void sort_keys(PveSection& section);
/// In its place, or at the end.
void set_value(PveSection& section, std::string_view key, std::string value);
void remove_value(PveSection& section, std::string_view key);

/// "32G", "1536M", "4096": as Proxmox writes a size.
std::string size_text(std::uint64_t bytes);

/// As Proxmox writes a description: what a line of a configuration cannot hold as "%3A".
std::string encoded(std::string_view text);

}  // namespace relab::agent::sim
