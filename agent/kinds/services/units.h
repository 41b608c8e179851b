#pragma once

/// systemd's own list of its units and unit files, out of systemctl's JSON.

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace relab::agent::services {

struct Unit {
  std::string name = {};
  std::string load = {};
  std::string active = {};
  std::string sub = {};
  std::string description = {};

  bool operator==(const Unit&) const = default;
};

struct UnitFile {
  std::string name = {};
  std::string state = {};
  std::string preset = {};

  bool operator==(const UnitFile&) const = default;
};

/// Failed units first, then by name. Fault::damaged if the text is not what
/// `systemctl list-units --all --output=json` prints: a running systemd always has units.
Result<std::vector<Unit>> parse_units(std::string_view json);

/// Fault::damaged if the text is not what `systemctl list-unit-files --output=json` prints.
Result<std::vector<UnitFile>> parse_unit_files(std::string_view json);

/// A device or slice that is in order: there are hundreds of them, and they say nothing.
bool is_noise(const Unit& unit);

/// A unit file that neither starts by itself nor is kept from starting.
bool is_noise(const UnitFile& file);

}  // namespace relab::agent::services
