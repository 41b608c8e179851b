#pragma once

/// The format of Proxmox's section files (storage.cfg, jobs.cfg, datastore.cfg): a line "type: id",
/// then its properties, indented, one a line.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace relab::agent {

struct Section {
  std::string type = {};
  std::string id = {};
  /// In the order of the file. A property that is a mere switch has an empty value.
  std::vector<std::pair<std::string, std::string>> properties = {};

  bool has(std::string_view key) const;
  /// The property's value, or "".
  std::string_view get(std::string_view key) const;

  bool operator==(const Section&) const = default;
};

/// Fault::damaged, with the number of the line, for a property outside of a section, a head that is
/// none, and a property given twice.
Result<std::vector<Section>> parse_section_config(std::string_view text);

}  // namespace relab::agent
