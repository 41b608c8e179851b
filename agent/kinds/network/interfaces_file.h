#pragma once

/// /etc/network/interfaces, as ifupdown and ifupdown2 read it.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::network {

struct InterfaceStanza {
  std::uint32_t line = 0;
  std::string name = {};
  std::string family = {};
  std::string method = {};
  /// In the order of the file; a "-" for every "_" in the names, since both spellings are one.
  std::vector<std::pair<std::string, std::string>> options = {};

  /// All values of an option, joined by blanks.
  std::string get(std::string_view option) const;
};

struct InterfacesFile {
  std::vector<InterfaceStanza> stanzas = {};
  /// What brings an interface up: "auto" or "hotplug".
  std::map<std::string, std::string> starts = {};
  /// Patterns of further files.
  std::vector<std::string> sources = {};
  /// Folders of further files.
  std::vector<std::string> source_folders = {};
};

/// Fault::damaged, with the line's number, for an option outside of a stanza and an iface without
/// a name.
Result<InterfacesFile> parse_interfaces(std::string_view text);

/// Whether a name suits a pattern with "*" and "?".
bool suits(std::string_view name, std::string_view pattern);

}  // namespace relab::agent::network
