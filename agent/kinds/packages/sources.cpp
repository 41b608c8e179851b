#include "agent/kinds/packages/sources.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/packages/deb822.h"
#include "common/base/text.h"

namespace relab::agent::packages {

namespace {

/// Words, of several lines too, with one blank between them.
std::string joined(std::string_view text) {
  std::string flat;
  for (const auto line : lines(text))
    for (const auto word : words(trim(line))) {
      if (!flat.empty()) flat += ' ';
      flat += word;
    }
  return flat;
}

void add_word(std::string& text, std::string_view word) {
  if (!text.empty()) text += ' ';
  text += word;
}

/// Takes "[a=b c=d]" from the front of the rest of a line.
Result<void> take_options(std::string_view& rest, Source& source) {
  if (!rest.starts_with('[')) return {};
  const auto end = rest.find(']');
  if (end == std::string_view::npos) return fail(Fault::damaged, "the options have no end");
  for (const auto option : words(rest.substr(1, end - 1))) {
    if (option.starts_with("signed-by="))
      source.signed_by = option.substr(std::string_view("signed-by=").size());
    else
      add_word(source.options, option);
  }
  rest = trim(rest.substr(end + 1));
  return {};
}

Result<Source> parse_entry(std::string_view line) {
  const auto end = line.find_first_of(" \t");
  const auto type = line.substr(0, end);
  if ((type != "deb" && type != "deb-src") || end == std::string_view::npos)
    return fail(Fault::damaged, "an entry begins with 'deb' or 'deb-src'");
  Source source{.types = std::string(type)};
  auto rest = trim(line.substr(end));
  RELAB_CHECK(take_options(rest, source));
  const auto parts = words(rest);
  if (parts.size() < 2) return fail(Fault::damaged, "the entry has no URI and suite");
  source.uris = parts[0];
  source.suites = parts[1];
  for (std::size_t i = 2; i < parts.size(); ++i) add_word(source.components, parts[i]);
  return source;
}

/// Takes the same words as apt does for "no".
bool is_no(std::string_view value) {
  return value == "no" || value == "false" || value == "without" || value == "off" ||
         value == "disable" || value == "0";
}

std::string signed_by_of(const Stanza& stanza) {
  const auto value = stanza.get("signed-by");
  return value.find("BEGIN PGP") == std::string_view::npos ? joined(value) : "embedded";
}

bool is_known_field(std::string_view name) {
  return name == "types" || name == "uris" || name == "suites" || name == "components" ||
         name == "enabled" || name == "signed-by" || name.starts_with("x-");
}

Source source_of(const Stanza& stanza) {
  Source source{.line = stanza.line,
                .enabled = !is_no(stanza.get("enabled")),
                .types = joined(stanza.get("types")),
                .uris = joined(stanza.get("uris")),
                .suites = joined(stanza.get("suites")),
                .components = joined(stanza.get("components")),
                .signed_by = signed_by_of(stanza)};
  for (const auto& [name, value] : stanza.fields)
    if (!is_known_field(name)) add_word(source.options, fmt::format("{}={}", name, joined(value)));
  return source;
}

}  // namespace

Result<std::vector<Source>> parse_source_list(std::string_view text) {
  std::vector<Source> sources;
  std::uint32_t number = 0;
  for (const auto whole : lines(text)) {
    ++number;
    const auto line = trim(whole.substr(0, whole.find('#')));
    if (line.empty()) continue;
    RELAB_TRY(auto source, parse_entry(line).during(fmt::format("line {}", number)));
    source.line = number;
    sources.push_back(std::move(source));
  }
  return sources;
}

Result<std::vector<Source>> parse_sources(std::string_view text) {
  RELAB_TRY(const auto stanzas, parse_deb822(text));
  std::vector<Source> sources;
  for (const auto& stanza : stanzas) {
    auto source = source_of(stanza);
    if (source.types.empty() || source.uris.empty() || source.suites.empty())
      return fail(Fault::damaged,
                  fmt::format("the entry of line {} has no Types, URIs or Suites", stanza.line));
    sources.push_back(std::move(source));
  }
  return sources;
}

Result<std::vector<Pin>> parse_pins(std::string_view text) {
  RELAB_TRY(const auto stanzas, parse_deb822(text));
  std::vector<Pin> pins;
  for (const auto& stanza : stanzas) {
    // A stanza that only explains something is a comment.
    if (stanza.fields.size() == 1 && !stanza.get("explanation").empty()) continue;
    pins.push_back({.packages = joined(stanza.get("package")),
                    .pin = joined(stanza.get("pin")),
                    .priority = joined(stanza.get("pin-priority"))});
    if (pins.back().packages.empty() || pins.back().pin.empty() || pins.back().priority.empty())
      return fail(
          Fault::damaged,
          fmt::format("the entry of line {} has no Package, Pin or Pin-Priority", stanza.line));
  }
  return pins;
}

}  // namespace relab::agent::packages
