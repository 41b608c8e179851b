#include "agent/kinds/services/units.h"

#include <algorithm>
#include <tuple>

#include "agent/kinds/support/json.h"

namespace relab::agent::services {

namespace {

/// The elements of a JSON list that must not be empty, each an object that has `key`.
Result<Json> entries(std::string_view text, std::string_view what, std::string_view key) {
  RELAB_TRY(auto json, parse_json(text, what));
  if (!json.is_array() || json.empty())
    return fail(Fault::damaged, std::string(what) + " printed no list, or an empty one");
  for (const auto& entry : json)
    if (text_of(entry, key).empty())
      return fail(Fault::damaged,
                  std::string(what) + " printed an entry without '" + std::string(key) + "'");
  return json;
}

}  // namespace

Result<std::vector<Unit>> parse_units(std::string_view text) {
  RELAB_TRY(const auto json, entries(text, "systemctl list-units", "unit"));
  std::vector<Unit> units;
  for (const auto& entry : json)
    units.push_back({.name = text_of(entry, "unit"),
                     .load = text_of(entry, "load"),
                     .active = text_of(entry, "active"),
                     .sub = text_of(entry, "sub"),
                     .description = text_of(entry, "description")});
  std::ranges::sort(units, {}, [](const Unit& unit) {
    return std::tuple(unit.active != "failed", std::string_view(unit.name));
  });
  return units;
}

Result<std::vector<UnitFile>> parse_unit_files(std::string_view text) {
  RELAB_TRY(const auto json, entries(text, "systemctl list-unit-files", "unit_file"));
  std::vector<UnitFile> files;
  for (const auto& entry : json) {
    // Before systemd 253 the key of the preset had the vendor in its name.
    auto preset = text_of(entry, "preset");
    if (preset.empty()) preset = text_of(entry, "vendor_preset");
    files.push_back({.name = text_of(entry, "unit_file"),
                     .state = text_of(entry, "state"),
                     .preset = std::move(preset)});
  }
  std::ranges::sort(files, {}, &UnitFile::name);
  return files;
}

bool is_noise(const Unit& unit) {
  return unit.active != "failed" &&
         (unit.name.ends_with(".device") || unit.name.ends_with(".slice"));
}

bool is_noise(const UnitFile& file) {
  return file.state == "static" || file.state == "disabled" || file.state == "alias" ||
         file.state == "indirect" || file.state == "transient";
}

}  // namespace relab::agent::services
