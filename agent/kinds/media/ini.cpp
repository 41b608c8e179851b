#include "agent/kinds/media/ini.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"

namespace relab::agent::media {

namespace {

std::string unquoted(std::string_view text) {
  text = trim(text);
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                      text.back() == text.front();
  return std::string(quoted ? text.substr(1, text.size() - 2) : text);
}

bool is_comment(std::string_view text) {
  return text.empty() || text.front() == '#' || text.front() == ';';
}

bool is_indented(std::string_view line) { return line.front() == ' ' || line.front() == '\t'; }

tl::unexpected<Error> bad_line(std::string_view what, std::size_t number) {
  return fail(Fault::damaged, fmt::format("line {} of {} is not of its form", number, what));
}

}  // namespace

Result<Ini> Ini::parse(std::string_view text, std::string_view what) {
  Ini ini;
  std::string section;
  bool within = false;
  std::size_t number = 0;
  for (const auto raw : lines(text)) {
    ++number;
    const auto line = trim(raw);
    if (is_comment(line)) continue;
    const auto equals = line.find('=');
    if (line.front() == '[' && line.back() == ']') {
      within = line.starts_with("[[");
      if (!within) section = trim(line.substr(1, line.size() - 2));
      if (!within) ini.values_.emplace(std::pair(section, std::string()), std::string());
    } else if (equals == std::string_view::npos || equals == 0) {
      // Python continues a long value on indented lines.
      if (!is_indented(raw)) return bad_line(what, number);
    } else if (!within) {
      ini.values_.insert_or_assign({section, std::string(trim(line.substr(0, equals)))},
                                   unquoted(line.substr(equals + 1)));
    }
  }
  return ini;
}

Result<Ini> Ini::parse_yaml(std::string_view text, std::string_view what) {
  Ini ini;
  std::string section;
  std::size_t depth = 0;
  std::size_t number = 0;
  for (const auto raw : lines(text)) {
    ++number;
    const auto line = trim(raw);
    if (is_comment(line) || line == "---" || line.front() == '-') continue;
    const auto colon = line.find(':');
    const auto indent = raw.find_first_not_of(" \t");
    if (colon == std::string_view::npos) {
      if (indent == 0) return bad_line(what, number);
      continue;
    }
    const std::string key(trim(line.substr(0, colon)));
    if (indent == 0) {
      section = key;
      depth = 0;
      ini.values_.emplace(std::pair(section, std::string()), std::string());
      continue;
    }
    if (depth == 0) depth = indent;
    if (indent == depth)
      ini.values_.insert_or_assign({section, key}, unquoted(line.substr(colon + 1)));
  }
  return ini;
}

bool Ini::has_section(std::string_view section) const {
  return std::ranges::any_of(values_,
                             [&](const auto& value) { return value.first.first == section; });
}

std::string Ini::value(const std::string& section, const std::string& key) const {
  const auto found = values_.find({section, key});
  return found == values_.end() ? std::string() : found->second;
}

}  // namespace relab::agent::media
