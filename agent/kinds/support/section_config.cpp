#include "agent/kinds/support/section_config.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"

namespace relab::agent {

namespace {

bool is_comment(std::string_view line) { return trim(line).starts_with('#'); }

bool is_indented(std::string_view line) { return line.starts_with(' ') || line.starts_with('\t'); }

Result<Section> parse_head(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos)
    return fail(Fault::damaged, fmt::format("'{}' is no head of a section", line));
  const auto type = line.substr(0, colon);
  const auto id = trim(line.substr(colon + 1));
  if (type.empty() || id.empty() || words(type).size() != 1 || words(id).size() != 1)
    return fail(Fault::damaged, fmt::format("'{}' is no head of a section", line));
  return Section{.type = std::string(type), .id = std::string(id)};
}

Result<void> add_property(std::string_view line, Section& section) {
  const auto end = line.find_first_of(" \t");
  const auto key = line.substr(0, end);
  if (section.has(key))
    return fail(Fault::damaged, fmt::format("'{}' is given twice in '{}'", key, section.id));
  const auto value = end == std::string_view::npos ? std::string_view() : trim(line.substr(end));
  section.properties.emplace_back(key, value);
  return {};
}

}  // namespace

bool Section::has(std::string_view key) const {
  return std::ranges::any_of(properties, [key](const auto& entry) { return entry.first == key; });
}

std::string_view Section::get(std::string_view key) const {
  for (const auto& [name, value] : properties)
    if (name == key) return value;
  return {};
}

Result<std::vector<Section>> parse_section_config(std::string_view text) {
  std::vector<Section> sections;
  bool in_section = false;
  std::size_t number = 0;
  for (const auto line : lines(text)) {
    ++number;
    if (is_comment(line)) continue;
    const auto content = trim(line);
    const auto where = [number] { return fmt::format("line {}", number); };
    if (content.empty()) {
      in_section = false;
    } else if (!is_indented(line)) {
      RELAB_TRY(auto section, parse_head(content).during(where()));
      sections.push_back(std::move(section));
      in_section = true;
    } else if (in_section) {
      RELAB_CHECK(add_property(content, sections.back()).during(where()));
    } else {
      return fail(Fault::damaged, fmt::format("line {}: '{}' is in no section", number, content));
    }
  }
  return sections;
}

}  // namespace relab::agent
