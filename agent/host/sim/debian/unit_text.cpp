#include "agent/host/sim/debian/unit_text.h"

#include <algorithm>
#include <array>

#include "common/base/text.h"

namespace relab::agent::sim {

std::string with_type(const std::string& unit) {
  static constexpr std::array<std::string_view, 9> types = {".service", ".socket",    ".timer",
                                                            ".mount",   ".automount", ".path",
                                                            ".target",  ".device",    ".slice"};
  const bool has_type =
      std::ranges::any_of(types, [&](std::string_view type) { return unit.ends_with(type); });
  return has_type ? unit : unit + ".service";
}

UnitText::UnitText(std::string_view text) {
  std::string section;
  std::string joined;
  for (const auto line : lines(text)) {
    const auto bare = trim(line);
    if (joined.empty() && (bare.empty() || bare.starts_with('#') || bare.starts_with(';')))
      continue;
    if (bare.ends_with('\\')) {
      joined += std::string(bare.substr(0, bare.size() - 1)) + " ";
      continue;
    }
    const auto whole = joined + std::string(bare);
    joined.clear();
    if (whole.starts_with('[') && whole.ends_with(']')) {
      section = whole.substr(1, whole.size() - 2);
      values_.try_emplace(section);
      continue;
    }
    const auto equals = whole.find('=');
    if (equals == std::string::npos || section.empty()) continue;
    auto& values = values_[section][std::string(trim(whole.substr(0, equals)))];
    const auto value = std::string(trim(std::string_view(whole).substr(equals + 1)));
    if (value.empty())
      values.clear();
    else
      values.push_back(value);
  }
}

std::vector<std::string> UnitText::values(const std::string& section,
                                          const std::string& key) const {
  const auto found = values_.find(section);
  if (found == values_.end()) return {};
  const auto value = found->second.find(key);
  return value == found->second.end() ? std::vector<std::string>() : value->second;
}

std::string UnitText::value(const std::string& section, const std::string& key) const {
  const auto all = values(section, key);
  return all.empty() ? std::string() : all.back();
}

std::vector<std::string> UnitText::names(const std::string& section, const std::string& key) const {
  std::vector<std::string> all;
  for (const auto& value : values(section, key))
    for (const auto word : words(value)) all.emplace_back(word);
  return all;
}

bool UnitText::is_true(const std::string& section, const std::string& key) const {
  const auto word = value(section, key);
  return word == "yes" || word == "true" || word == "on" || word == "1";
}

std::vector<std::string> UnitText::programs() const {
  std::vector<std::string> all;
  for (const auto& command : values("Service", "ExecStart")) {
    const auto start = command.find_first_not_of("-@:+!");
    if (start == std::string::npos) continue;
    const auto end = command.find_first_of(" \t", start);
    all.push_back(command.substr(start, end == std::string::npos ? end : end - start));
  }
  return all;
}

}  // namespace relab::agent::sim
