// The scalar values of the walk: each is checked against its type and annotations.

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>

#include "common/base/text.h"
#include "controller/lab/limits.h"
#include "controller/lab/units.h"
#include "controller/lab/walk.h"

namespace relab::lab {

namespace {

/// Whole files and keys are among the parameters of tasks.
constexpr std::size_t text_size_max = std::size_t{256} << 10U;
constexpr std::size_t pattern_text_max = 256;
constexpr std::size_t short_list_max = 6;

std::string example_of(const reflect::Notes& notes) {
  return notes.example.empty() ? "" : fmt::format("for example: {}", notes.example);
}

}  // namespace

kj::Maybe<capnp::DynamicValue::Reader> Walk::scalar(const Node& node, const Slot& slot) {
  using capnp::DynamicValue;
  if (is_integer(slot.type)) return number(node, slot);
  switch (slot.type.which()) {
    case capnp::schema::Type::TEXT:
      return text(node, slot);
    case capnp::schema::Type::ENUM:
      return enumerant(node, slot);
    case capnp::schema::Type::BOOL:
      if (const auto* truth = std::get_if<bool>(&node.value)) return DynamicValue::Reader(*truth);
      wrong_type(node, slot.path, "true or false");
      return nullptr;
    case capnp::schema::Type::FLOAT32:
    case capnp::schema::Type::FLOAT64:
      if (const auto* real = std::get_if<double>(&node.value)) return DynamicValue::Reader(*real);
      wrong_type(node, slot.path, "a number with a fraction");
      return nullptr;
    case capnp::schema::Type::VOID:
      if (node.table() != nullptr && node.table()->empty())
        return DynamicValue::Reader(capnp::VOID);
      wrong_type(node, slot.path, "an empty table", "write {}");
      return nullptr;
    default:
      findings_.report(slot.path, "this cannot be given in a lab file");
      return nullptr;
  }
}

kj::Maybe<capnp::DynamicValue::Reader> Walk::number(const Node& node, const Slot& slot) {
  const auto& unit = slot.notes.unit;
  std::optional<std::int64_t> value;
  if (const auto* given = std::get_if<std::int64_t>(&node.value)) value = *given;
  if (const auto* given = node.text()) {
    value = parse_quantity(*given, unit);
    if (!value && !quantity_pattern(unit).empty()) {
      findings_.report(slot.path, fmt::format("{} is not {}", in_quotes(*given), wanted(unit)));
      return nullptr;
    }
  }
  if (!value) {
    wrong_type(node, slot.path, wanted(unit));
    return nullptr;
  }
  const auto limits = limits_of(slot.type, slot.notes);
  if (*value >= limits.least && *value <= limits.greatest)
    return capnp::DynamicValue::Reader(*value);
  findings_.report(
      slot.path, fmt::format("{} is out of range", in_unit(*value, unit)),
      fmt::format("from {} to {}", in_unit(limits.least, unit), in_unit(limits.greatest, unit)));
  return nullptr;
}

kj::Maybe<capnp::DynamicValue::Reader> Walk::text(const Node& node, const Slot& slot) {
  const auto* given = node.text();
  if (given == nullptr) {
    wrong_type(node, slot.path, "text");
    return nullptr;
  }
  const auto& notes = slot.notes;
  const auto example = example_of(notes);
  if (given->empty() && (notes.required || !notes.ref.empty() || !notes.pattern.empty())) {
    findings_.report(slot.path, "the text is empty", example);
    return nullptr;
  }
  // TOML can spell what bytes cannot smuggle in: "\u0000".
  if (given->size() > text_size_max || !is_clean_text(*given)) {
    findings_.report(
        slot.path, given->size() > text_size_max ? "the text is too long" : "the text holds a NUL");
    return nullptr;
  }
  if (!notes.pattern.empty() && !matches(*given, notes.pattern)) {
    findings_.report(slot.path, fmt::format("{} is not of the expected form", in_quotes(*given)),
                     example);
    return nullptr;
  }
  if (!notes.ref.empty()) references_.push_back({slot.path, notes.ref, *given});
  if (notes.section) check_section(*given, slot.path);
  return capnp::DynamicValue::Reader(capnp::Text::Reader(given->c_str(), given->size()));
}

kj::Maybe<capnp::DynamicValue::Reader> Walk::enumerant(const Node& node, const Slot& slot) {
  std::vector<std::string> names;
  const auto* given = node.text();
  for (const auto candidate : slot.type.asEnum().getEnumerants()) {
    if (reflect::is_unset(candidate)) continue;
    names.push_back(reflect::key_of(candidate));
    if (given != nullptr && names.back() == *given)
      return capnp::DynamicValue::Reader(capnp::DynamicEnum(candidate));
  }
  // A short list is given whole: the nearest to "raidz4" is no better than its neighbours.
  const auto all = fmt::format("one of {}", fmt::join(names, ", "));
  if (given == nullptr) {
    wrong_type(node, slot.path, "text", all);
  } else {
    findings_.report(slot.path, fmt::format("{} is not known here", in_quotes(*given)),
                     names.size() > short_list_max ? suggestion(*given, names) : all);
  }
  return nullptr;
}

void Walk::check_section(const std::string& text, const std::string& path) {
  const auto sections = reflect::audit_sections();
  if (std::ranges::find(sections, text) != sections.end()) return;
  findings_.report(path, fmt::format("the audit has no section {}", in_quotes(text)),
                   suggestion(text, sections));
}

bool Walk::matches(const std::string& text, const std::string& pattern) {
  // The library's matcher recurses once per letter.
  if (text.size() > pattern_text_max) return false;
  auto found = patterns_.find(pattern);
  if (found == patterns_.end())
    found = patterns_.emplace(pattern, std::regex(pattern, std::regex::ECMAScript)).first;
  return std::regex_match(text, found->second);
}

}  // namespace relab::lab
