#include "agent/kinds/network/interfaces_file.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"

namespace relab::agent::network {

namespace {

struct Line {
  std::uint32_t number = 0;
  std::string text = {};
};

/// Lines without comments, those that end in a backslash joined with the next.
std::vector<Line> logical_lines(std::string_view text) {
  std::vector<Line> all;
  bool goes_on = false;
  std::uint32_t number = 0;
  for (const auto whole : lines(text)) {
    ++number;
    auto line = trim(whole);
    if (!goes_on && (line.empty() || line.starts_with('#'))) continue;
    const bool was_open = goes_on;
    goes_on = line.ends_with('\\');
    if (goes_on) line.remove_suffix(1);
    if (was_open)
      all.back().text += fmt::format(" {}", trim(line));
    else
      all.push_back({.number = number, .text = std::string(trim(line))});
  }
  return all;
}

std::string with_dashes(std::string_view option) {
  std::string name(option);
  std::ranges::replace(name, '_', '-');
  return name;
}

Result<InterfaceStanza> parse_iface(const Line& line, const std::vector<std::string_view>& parts) {
  if (parts.size() < 2)
    return fail(Fault::damaged, fmt::format("line {}: an iface without a name", line.number));
  InterfaceStanza stanza{.line = line.number, .name = std::string(parts[1])};
  // ifupdown2 takes an iface without family and method.
  if (parts.size() > 2) stanza.family = parts[2];
  if (parts.size() > 3) stanza.method = parts[3];
  return stanza;
}

void add_starts(const std::vector<std::string_view>& parts, std::string_view start,
                InterfacesFile& file) {
  for (std::size_t i = 1; i < parts.size(); ++i)
    file.starts.emplace(std::string(parts[i]), std::string(start));
}

/// Whether the line is one outside of stanzas that we know.
bool take_toplevel(const std::vector<std::string_view>& parts, InterfacesFile& file) {
  const auto word = parts[0];
  if (word == "auto" || word == "allow-auto") {
    add_starts(parts, "auto", file);
  } else if (word == "allow-hotplug") {
    add_starts(parts, "hotplug", file);
  } else if (word == "source" && parts.size() > 1) {
    for (std::size_t i = 1; i < parts.size(); ++i) file.sources.emplace_back(parts[i]);
  } else if (word == "source-directory" && parts.size() > 1) {
    for (std::size_t i = 1; i < parts.size(); ++i) file.source_folders.emplace_back(parts[i]);
  } else {
    return word.starts_with("allow-") || word == "no-auto-down" || word == "no-scripts" ||
           word == "rename";
  }
  return true;
}

}  // namespace

std::string InterfaceStanza::get(std::string_view option) const {
  std::string all;
  for (const auto& entry : options) {
    if (entry.first != option) continue;
    if (!all.empty()) all += ' ';
    all += entry.second;
  }
  return all;
}

Result<InterfacesFile> parse_interfaces(std::string_view text) {
  InterfacesFile file;
  InterfaceStanza* open = nullptr;
  bool in_mapping = false;
  for (const auto& line : logical_lines(text)) {
    const auto parts = words(line.text);
    if (parts.empty()) continue;
    if (parts[0] == "iface") {
      RELAB_TRY(auto stanza, parse_iface(line, parts));
      file.stanzas.push_back(std::move(stanza));
      open = &file.stanzas.back();
      in_mapping = false;
    } else if (parts[0] == "mapping" || parts[0] == "template") {
      open = nullptr;
      in_mapping = true;
    } else if (take_toplevel(parts, file)) {
      open = nullptr;
      in_mapping = false;
    } else if (open != nullptr) {
      const auto value = trim(std::string_view(line.text).substr(parts[0].size()));
      open->options.emplace_back(with_dashes(parts[0]), value);
    } else if (!in_mapping) {
      return fail(Fault::damaged,
                  fmt::format("line {}: an option outside of any stanza", line.number));
    }
  }
  return file;
}

bool suits(std::string_view name, std::string_view pattern) {
  // After a "*" that took too little, it takes one letter more: linear but for the last "*".
  std::size_t at = 0;
  std::size_t in_pattern = 0;
  std::size_t star = std::string_view::npos;
  std::size_t after_star = 0;
  while (at < name.size()) {
    if (in_pattern < pattern.size() &&
        (pattern[in_pattern] == '?' || pattern[in_pattern] == name[at])) {
      ++at;
      ++in_pattern;
    } else if (in_pattern < pattern.size() && pattern[in_pattern] == '*') {
      star = in_pattern++;
      after_star = at;
    } else if (star != std::string_view::npos) {
      in_pattern = star + 1;
      at = ++after_star;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', in_pattern) == std::string_view::npos;
}

}  // namespace relab::agent::network
