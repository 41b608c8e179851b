#include "agent/kinds/support/section_config.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"

namespace relab::agent {

namespace {

using Value = std::pair<std::string, std::string>;

bool parse_header(std::string_view line, ConfigSection& section) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  section.type = line.substr(0, colon);
  section.id = trim(line.substr(colon + 1));
  return words(section.type).size() == 1 && words(section.id).size() == 1;
}

Value parse_value(std::string_view line) {
  const auto text = trim(line);
  const auto end = std::min(text.find_first_of(" \t"), text.size());
  return {std::string(text.substr(0, end)), std::string(trim(text.substr(end)))};
}

}  // namespace

std::string ConfigSection::value(std::string_view key) const {
  const auto found = std::ranges::find(values, key, &Value::first);
  return found == values.end() ? std::string() : found->second;
}

bool ConfigSection::has(std::string_view key) const {
  return std::ranges::find(values, key, &Value::first) != values.end();
}

bool ConfigSection::truth(std::string_view key) const {
  const auto text = value(key);
  return has(key) &&
         (text.empty() || text == "1" || text == "true" || text == "yes" || text == "on");
}

Result<std::vector<ConfigSection>> parse_section_config(std::string_view text,
                                                        std::string_view what) {
  std::vector<ConfigSection> sections;
  std::size_t number = 0;
  for (const auto line : lines(text)) {
    ++number;
    if (trim(line).empty() || line.starts_with('#')) continue;
    const bool indented = line.front() == ' ' || line.front() == '\t';
    if (!indented) sections.emplace_back();
    if (sections.empty() || (!indented && !parse_header(line, sections.back())))
      return fail(
          Fault::damaged,
          fmt::format("line {} of {} is neither a section's head nor a value", number, what));
    if (indented) sections.back().values.push_back(parse_value(line));
  }
  return sections;
}

}  // namespace relab::agent
