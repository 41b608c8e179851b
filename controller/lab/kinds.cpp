#include "controller/lab/kinds.h"

#include <algorithm>
#include <capnp/dynamic.h>
#include <capnp/message.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>
#include <vector>

#include "common/needs/needs.h"
#include "common/reflect/notes.h"
#include "controller/lab/mistake.h"
#include "controller/lab/units.h"
#include "schema/task.capnp.h"

namespace relab::lab {

namespace {

using Field = capnp::StructSchema::Field;

std::vector<Field> kinds() { return reflect::choices(capnp::Schema::from<schema::Task>()); }

std::string plain_type(capnp::Type type) {
  switch (type.which()) {
    case capnp::schema::Type::VOID:
      return "nothing";
    case capnp::schema::Type::BOOL:
      return "true or false";
    case capnp::schema::Type::INT8:
    case capnp::schema::Type::INT16:
    case capnp::schema::Type::INT32:
    case capnp::schema::Type::INT64:
    case capnp::schema::Type::UINT8:
    case capnp::schema::Type::UINT16:
    case capnp::schema::Type::UINT32:
    case capnp::schema::Type::UINT64:
      return "number";
    case capnp::schema::Type::FLOAT32:
    case capnp::schema::Type::FLOAT64:
      return "number with a fraction";
    case capnp::schema::Type::TEXT:
      return "text";
    case capnp::schema::Type::DATA:
      return "bytes";
    case capnp::schema::Type::LIST:
      return "list of " + plain_type(type.asList().getElementType());
    case capnp::schema::Type::ENUM: {
      std::vector<std::string> names;
      for (const auto enumerant : type.asEnum().getEnumerants())
        if (!reflect::is_unset(enumerant)) names.push_back(reflect::key_of(enumerant));
      return fmt::format("one of {}", fmt::join(names, ", "));
    }
    case capnp::schema::Type::STRUCT:
      return reflect::snake_case(type.asStruct().getShortDisplayName().cStr()).substr(1);
    case capnp::schema::Type::INTERFACE:
    case capnp::schema::Type::ANY_POINTER:
      break;
  }
  return "anything";
}

/// The default as lab.toml would give it; empty where it is nothing, zero or false.
std::string default_of(Field field) {
  capnp::MallocMessageBuilder builder;
  const auto empty = builder.initRoot<capnp::DynamicStruct>(field.getContainingStruct()).asReader();
  const auto value = empty.get(field);
  switch (value.getType()) {
    case capnp::DynamicValue::INT:
      return value.as<std::int64_t>() == 0 ? "" : fmt::format("{}", value.as<std::int64_t>());
    case capnp::DynamicValue::UINT:
      return value.as<std::uint64_t>() == 0 ? "" : fmt::format("{}", value.as<std::uint64_t>());
    case capnp::DynamicValue::BOOL:
      return value.as<bool>() ? "true" : "";
    case capnp::DynamicValue::TEXT: {
      const auto text = value.as<capnp::Text>();
      return text.size() == 0 ? "" : fmt::format("\"{}\"", text.cStr());
    }
    default:
      return {};
  }
}

/// "(text, required; ...)": type, unit, limits, default.
std::string properties(Field field) {
  const auto notes = reflect::notes_of(field);
  std::vector<std::string> parts = {plain_type(field.getType())};
  if (!notes.unit.empty()) parts[0] += " in " + notes.unit;
  if (notes.key || notes.required) parts.emplace_back("required");
  if (notes.secret) parts.emplace_back("the name of a secret");
  if (!notes.ref.empty()) parts.push_back("a name in " + notes.ref);
  if (notes.range)
    parts.push_back(fmt::format("from {} to {}", in_unit(notes.range->least, notes.unit),
                                in_unit(notes.range->greatest, notes.unit)));
  if (!notes.pattern.empty()) parts.push_back("matches " + notes.pattern);
  const auto outside_union = field.getProto().getDiscriminantValue() == 0xffff;
  if (const auto given = outside_union ? default_of(field) : ""; !given.empty())
    parts.push_back("default " + given);
  return fmt::format("({})", fmt::join(parts, ", "));
}

void describe_fields(std::string& page, capnp::StructSchema schema, std::size_t indent,
                     std::set<std::uint64_t>& above);

/// The fields of the struct that a field is, or is a list of, one level deeper.
void describe_inner(std::string& page, capnp::Type type, std::size_t indent,
                    std::set<std::uint64_t>& above) {
  while (type.isList()) type = type.asList().getElementType();
  if (!type.isStruct()) return;
  const auto schema = type.asStruct();
  // A struct that holds itself is described once.
  if (!above.insert(schema.getProto().getId()).second) return;
  describe_fields(page, schema, indent + 2, above);
  above.erase(schema.getProto().getId());
}

void describe_fields(std::string& page, capnp::StructSchema schema, std::size_t indent,
                     std::set<std::uint64_t>& above) {
  for (const auto field : schema.getFields()) {
    if (reflect::is_unset(field)) continue;
    const auto notes = reflect::notes_of(field);
    page += fmt::format("{:{}}{} {}\n", "", indent, reflect::key_of(field), properties(field));
    if (!notes.doc.empty()) page += fmt::format("{:{}}{}\n", "", indent + 4, notes.doc);
    describe_inner(page, field.getType(), indent, above);
  }
}

std::string section(std::string_view title, capnp::StructSchema schema, std::string_view none) {
  auto page = fmt::format("\n{}\n", title);
  std::set<std::uint64_t> above = {schema.getProto().getId()};
  if (schema.getFields().size() == 0) return page + fmt::format("  {}\n", none);
  describe_fields(page, schema, 2, above);
  return page;
}

/// The parameters that lab.toml must give, by their examples: "{ serial = \"NA8V1C2D\" }".
std::string least_of(capnp::StructSchema params) {
  std::vector<std::string> given;
  for (const auto field : params.getFields())
    if (const auto notes = reflect::notes_of(field); notes.required)
      given.push_back(fmt::format("{} = {}", reflect::key_of(field),
                                  notes.example.empty() ? "..." : notes.example));
  return given.empty() ? "{}" : fmt::format("{{ {} }}", fmt::join(given, ", "));
}

std::string described(Field kind) {
  const auto notes = reflect::notes_of(kind);
  const auto key = reflect::key_of(kind);
  auto page = fmt::format("{}\n  {}\n\n", key, notes.doc);
  if (!notes.audit.empty())
    page += fmt::format("  Section '{}' of the audit: the gate of the pre-audit demands it.\n",
                        notes.audit);
  page += notes.convergent
              ? "  After an unknown outcome, the controller may order a new attempt by itself.\n"
              : "  After an unknown outcome, a person must look before a new attempt.\n";
  if (notes.destructive)
    page += "  It destroys something: a person has to approve of exactly that (`relab approve`).\n";
  for (const auto& name : notes.needs)
    if (const auto* need = needs::find(name); need != nullptr)
      page += fmt::format("  It needs `{}`: {}; shown by `{}`, at most {} old.\n", name, need->says,
                          reflect::snake_case(need->arm), human(need->max_age));
  page += fmt::format("\nIn lab.toml\n  steps = [{{ name = \"...\", task = {{ {} = {} }} }}]\n",
                      key, least_of(kind.getType().asStruct()));
  page += section("Parameters", kind.getType().asStruct(), "none");
  const auto facts = capnp::Schema::from<schema::Facts>();
  KJ_IF_MAYBE (found, facts.findFieldByName(kind.getProto().getName()))
    page += section("Facts", found->getType().asStruct(), "none");
  return page;
}

}  // namespace

std::string describe_kinds() {
  std::size_t width = 0;
  for (const auto kind : kinds()) width = std::max(width, reflect::key_of(kind).size());
  std::string page;
  for (const auto kind : kinds())
    page += fmt::format("{:{}}  {}\n", reflect::key_of(kind), width, reflect::notes_of(kind).doc);
  return page;
}

Result<std::string> describe_kind(std::string_view name) {
  std::vector<std::string> names;
  for (const auto kind : kinds()) {
    names.push_back(reflect::key_of(kind));
    if (names.back() == name || std::string_view(kind.getProto().getName().cStr()) == name)
      return described(kind);
  }
  return fail(Fault::missing, fmt::format("there is no task kind {}", in_quotes(name)),
              suggestion(name, names));
}

}  // namespace relab::lab
