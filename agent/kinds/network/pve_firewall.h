#pragma once

/// The files of Proxmox's firewall: cluster.fw, host.fw and one for each guest.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::network {

struct FirewallLine {
  /// As in the file, in lower case: "rules", "aliases", "ipset management", "group lab_guest".
  std::string section = {};
  /// Without the mark of a rule that is switched off.
  std::string line = {};
  bool enabled = true;

  bool operator==(const FirewallLine&) const = default;
};

struct FirewallFile {
  std::vector<std::pair<std::string, std::string>> options = {};
  std::vector<FirewallLine> lines = {};
};

/// Fault::damaged, with the line's number, for a line outside of a section, a section that Proxmox
/// does not know, and an option that is none: Proxmox passes over such lines with a warning, so
/// that what they should do is not done.
Result<FirewallFile> parse_firewall(std::string_view text);

/// "Status: enabled/running" as "enabled/running".
Result<std::string> parse_firewall_status(std::string_view text);

}  // namespace relab::agent::network
