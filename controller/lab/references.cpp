#include "controller/lab/references.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "common/base/text.h"

namespace relab::lab {

namespace {

std::optional<capnp::StructSchema::Field> field_named(capnp::StructSchema schema,
                                                      std::string_view key) {
  for (const auto field : schema.getFields())
    if (reflect::key_of(field) == key) return field;
  return std::nullopt;
}

std::optional<capnp::StructSchema::Field> key_field(capnp::StructSchema schema) {
  for (const auto field : schema.getFields())
    if (reflect::notes_of(field).key) return field;
  return std::nullopt;
}

/// The list at a dotted path.
std::optional<capnp::DynamicList::Reader> list_at(capnp::DynamicStruct::Reader at,
                                                  std::string_view path) {
  const auto dot = path.find('.');
  const auto field = field_named(at.getSchema(), path.substr(0, dot));
  if (!field) return std::nullopt;
  const auto type = field->getType();
  if (dot != std::string_view::npos) {
    if (!type.isStruct()) return std::nullopt;
    return list_at(at.get(*field).as<capnp::DynamicStruct>(), path.substr(dot + 1));
  }
  if (!type.isList() || !type.asList().getElementType().isStruct()) return std::nullopt;
  return at.get(*field).as<capnp::DynamicList>();
}

}  // namespace

std::optional<std::vector<std::string>> names_in(capnp::DynamicStruct::Reader lab,
                                                 std::string_view lists) {
  std::vector<std::string> names;
  for (const auto path : split(lists, '|')) {
    const auto list = list_at(lab, path);
    if (!list) return std::nullopt;
    const auto key = key_field(list->getSchema().getStructElementType());
    if (!key) return std::nullopt;
    for (const auto element : *list) {
      const auto name = element.as<capnp::DynamicStruct>().get(*key).as<capnp::Text>();
      if (name.size() != 0) names.emplace_back(name.begin(), name.size());
    }
  }
  return names;
}

void check_references(capnp::DynamicStruct::Reader lab, const std::vector<Reference>& references,
                      Findings& findings) {
  std::map<std::string, std::vector<std::string>> known;
  for (const auto& [path, lists, name] : references) {
    auto found = known.find(lists);
    if (found == known.end())
      found = known.emplace(lists, names_in(lab, lists).value_or(std::vector<std::string>())).first;
    if (std::ranges::find(found->second, name) != found->second.end()) continue;
    auto where = lists;
    if (const auto bar = where.find('|'); bar != std::string::npos) where.replace(bar, 1, " or ");
    findings.report(path, fmt::format("there is no {} in {}", in_quotes(name), where),
                    suggestion(name, found->second));
  }
}

}  // namespace relab::lab
