// Changes as lines and as JSON.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "common/base/text.h"
#include "controller/report/diff.h"
#include "controller/report/escape.h"
#include "controller/report/markup.h"

namespace relab::controller {

namespace {

using Kind = Change::Kind;
using Json = nlohmann::ordered_json;

/// An element that came or went is told at length; on a terminal its beginning must do.
std::string short_enough(const Style& style, const std::string& text) {
  return style.width > 0 ? cut(text, style.width) : text;
}

std::string line_of(const Change& change, const Style& style) {
  const auto path = visible(fmt::format("{}", fmt::join(change.path, " ")));
  const auto before = visible(change.before);
  const auto after = visible(change.after);
  switch (change.kind) {
    case Kind::added:
      return short_enough(style, fmt::format("+ {}: {}", path, after));
    case Kind::removed:
      return alarming(style, short_enough(style, fmt::format("- {}: {}", path, before)));
    case Kind::changed:
      return fmt::format("~ {}: {} -> {}", path, before, after);
  }
  return {};
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::added:
      return "added";
    case Kind::removed:
      return "removed";
    case Kind::changed:
      return "changed";
  }
  return {};
}

Json json_of(const Change& change) {
  Json path = Json::array();
  for (const auto& step : change.path) path.push_back(clean_text(step));
  Json json = {{"change", name_of(change.kind)}, {"path", path}};
  if (change.kind != Kind::added) json["before"] = clean_text(change.before);
  if (change.kind != Kind::removed) json["after"] = clean_text(change.after);
  if (change.is_volatile) json["volatile"] = true;
  return json;
}

}  // namespace

std::string render_changes(const std::vector<Change>& changes, const Style& style) {
  if (changes.empty()) return {};
  // Within a block of code nothing is markup, and every line is visible() and begins with a sign.
  auto plain = style;
  plain.colour = style.colour && style.form == Form::text;
  plain.form = Form::text;
  plain.width = style.form == Form::text ? style.width : 0;
  std::string text;
  for (const auto& change : changes) text += line_of(change, plain) + "\n";
  return style.form == Form::markdown ? fmt::format("```diff\n{}```\n", text) : text;
}

std::string changes_json(const std::vector<Change>& changes) {
  Json list = Json::array();
  for (const auto& change : changes) list.push_back(json_of(change));
  return list.dump(2, ' ', true) + "\n";
}

}  // namespace relab::controller
