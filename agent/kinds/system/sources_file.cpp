#include "agent/kinds/system/sources_file.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>

#include "common/base/text.h"

namespace relab::agent::system {

namespace {

using Lines = std::vector<std::string_view>;

std::string lower(std::string_view text) {
  std::string all(text);
  std::ranges::transform(all, all.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return all;
}

bool is_enabled_field(std::string_view line) { return lower(line).starts_with("enabled:"); }

/// apt's own words for it.
bool says_off(std::string_view line) {
  static constexpr std::array<std::string_view, 6> words_for_off = {"no",  "false",   "without",
                                                                    "off", "disable", "0"};
  const auto value = lower(trim(line.substr(line.find(':') + 1)));
  return std::ranges::find(words_for_off, value) != words_for_off.end();
}

bool is_field(std::string_view line) {
  return !line.empty() && line[0] != '#' && line[0] != ' ' && line[0] != '\t' &&
         line.find(':') != std::string_view::npos;
}

/// Lines without an empty one between them.
void add_paragraph(const Lines& paragraph, std::string& out) {
  const bool is_source = std::ranges::any_of(paragraph, is_field);
  const bool is_off = std::ranges::any_of(
      paragraph, [](std::string_view line) { return is_enabled_field(line) && says_off(line); });
  bool to_be_said = is_source && !is_off;
  for (const auto line : paragraph) {
    if (to_be_said && is_field(line)) {
      out += "Enabled: no\n";
      to_be_said = false;
    }
    if (is_source && !is_off && is_enabled_field(line)) continue;
    out += fmt::format("{}\n", line);
  }
}

std::string deb822_off(std::string_view text) {
  std::string out;
  Lines paragraph;
  for (const auto line : lines(text)) {
    if (!trim(line).empty()) {
      paragraph.push_back(line);
      continue;
    }
    add_paragraph(paragraph, out);
    paragraph.clear();
    out += fmt::format("{}\n", line);
  }
  add_paragraph(paragraph, out);
  return out;
}

std::string list_off(std::string_view text) {
  std::string out;
  for (const auto line : lines(text)) {
    const auto bare = trim(line);
    out += fmt::format("{}{}\n", bare.empty() || bare.starts_with('#') ? "" : "# ", line);
  }
  return out;
}

void add_field(std::string_view name, const std::vector<std::string>& values, std::string& out) {
  if (!values.empty()) out += fmt::format("{}: {}\n", name, fmt::join(values, " "));
}

}  // namespace

std::string to_deb822(const Source& source) {
  std::string out = "Types: deb\n";
  add_field("URIs", source.uris, out);
  add_field("Suites", source.suites, out);
  add_field("Components", source.components, out);
  add_field("Architectures", source.architectures, out);
  add_field("Signed-By", {source.signed_by}, out);
  return out;
}

std::string switched_off(std::string_view text, bool is_deb822) {
  return is_deb822 ? deb822_off(text) : list_off(text);
}

Result<std::vector<std::string>> parse_fingerprints(std::string_view text) {
  constexpr std::size_t fingerprint = 9;
  std::vector<std::string> found;
  bool wanted = false;
  for (const auto line : lines(text)) {
    const auto columns = split(line, ':');
    if (columns[0] == "sec")
      return fail(Fault::invalid, "the key is a secret one: only its public half belongs here");
    // Each key is followed by its fingerprint; those of subkeys come after another kind of line.
    if (columns[0] == "pub" || columns[0] == "sub") wanted = columns[0] == "pub";
    if (columns[0] != "fpr" || !wanted || columns.size() <= fingerprint) continue;
    found.emplace_back(columns[fingerprint]);
    wanted = false;
  }
  return found;
}

}  // namespace relab::agent::system
