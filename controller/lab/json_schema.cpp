#include "controller/lab/json_schema.h"

#include <capnp/dynamic.h>
#include <nlohmann/json.hpp>

#include "common/reflect/notes.h"
#include "controller/lab/limits.h"
#include "controller/lab/units.h"
#include "schema/lab.capnp.h"

namespace relab::lab {

namespace {

using Json = nlohmann::ordered_json;

/// Collects the definitions of all structs that are reached.
class Definitions {
 public:
  /// A reference to the definition of a struct, which is made on first use.
  Json reference(capnp::StructSchema schema);
  Json take() && { return std::move(made_); }

 private:
  Json definition(capnp::StructSchema schema);
  Json property(capnp::StructSchema::Field field);
  Json value(capnp::Type type, const reflect::Notes& notes);

  Json made_ = Json::object();
};

/// "schema/lab.capnp:Lab.Guest" is "Lab.Guest".
std::string name_of(capnp::Schema schema) {
  const std::string name = schema.getProto().getDisplayName().cStr();
  return name.substr(name.find(':') + 1);
}

Json integer(capnp::Type type, const reflect::Notes& notes) {
  const auto limits = limits_of(type, notes);
  Json number = {{"type", "integer"}, {"minimum", limits.least}, {"maximum", limits.greatest}};
  const auto pattern = quantity_pattern(notes.unit);
  if (pattern.empty()) return number;
  return {{"anyOf", Json::array({number, {{"type", "string"}, {"pattern", pattern}}})}};
}

Json text(const reflect::Notes& notes) {
  Json made = {{"type", "string"}};
  if (notes.required || !notes.ref.empty()) made["minLength"] = 1;
  if (!notes.pattern.empty()) made["pattern"] = notes.pattern;
  if (notes.section) made["enum"] = reflect::audit_sections();
  return made;
}

/// Names with their documentation: editors show the description of each.
Json enumeration(capnp::EnumSchema schema) {
  auto choices = Json::array();
  for (const auto enumerant : schema.getEnumerants()) {
    if (reflect::is_unset(enumerant)) continue;
    choices.push_back({{"const", reflect::key_of(enumerant)}});
    if (const auto doc = reflect::doc_of(enumerant); !doc.empty())
      choices.back()["description"] = doc;
  }
  return {{"type", "string"}, {"oneOf", choices}};
}

Json default_of(capnp::StructSchema::Field field) {
  const auto value = field.getProto().getSlot().getDefaultValue();
  switch (value.which()) {
    case capnp::schema::Value::UINT16:
      return value.getUint16() == 0 ? Json() : Json(value.getUint16());
    case capnp::schema::Value::UINT32:
      return value.getUint32() == 0 ? Json() : Json(value.getUint32());
    case capnp::schema::Value::TEXT:
      return value.getText().size() == 0 ? Json() : Json(value.getText().cStr());
    default:
      return {};
  }
}

Json Definitions::value(capnp::Type type, const reflect::Notes& notes) {
  if (is_integer(type)) return integer(type, notes);
  switch (type.which()) {
    case capnp::schema::Type::TEXT:
      return text(notes);
    case capnp::schema::Type::BOOL:
      return {{"type", "boolean"}};
    case capnp::schema::Type::ENUM:
      return enumeration(type.asEnum());
    case capnp::schema::Type::STRUCT:
      return reference(type.asStruct());
    case capnp::schema::Type::LIST: {
      Json list = {{"type", "array"}, {"items", value(type.asList().getElementType(), notes)}};
      if (notes.required) list["minItems"] = 1;
      if (!type.asList().getElementType().isStruct()) list["uniqueItems"] = true;
      return list;
    }
    case capnp::schema::Type::FLOAT32:
    case capnp::schema::Type::FLOAT64:
      return {{"type", "number"}};
    case capnp::schema::Type::VOID:
      return {{"type", "object"}, {"maxProperties", 0}};
    default:
      return false;  // cannot be given in a lab file
  }
}

Json Definitions::property(capnp::StructSchema::Field field) {
  const auto notes = reflect::notes_of(field);
  auto made = value(field.getType(), notes);
  if (!made.is_object()) return made;
  if (!notes.doc.empty()) made["description"] = notes.doc;
  if (!field.getProto().isSlot()) return made;
  if (const auto given = default_of(field); !given.is_null()) made["default"] = given;
  return made;
}

Json Definitions::definition(capnp::StructSchema schema) {
  Json made = {{"type", "object"}};
  if (const auto doc = reflect::doc_of(schema); !doc.empty()) made["description"] = doc;
  made["additionalProperties"] = false;
  made["properties"] = Json::object();
  auto required = Json::array();
  for (const auto field : schema.getFields()) {
    if (reflect::is_unset(field)) continue;
    made["properties"][reflect::key_of(field)] = property(field);
    if (reflect::notes_of(field).required) required.push_back(reflect::key_of(field));
  }
  if (!required.empty()) made["required"] = required;
  const auto members = reflect::choices(schema);
  if (members.empty()) return made;
  made["oneOf"] = Json::array();
  for (const auto member : members)
    made["oneOf"].push_back({{"required", {reflect::key_of(member)}}});
  return made;
}

Json Definitions::reference(capnp::StructSchema schema) {
  const auto name = name_of(schema);
  if (!made_.contains(name)) {
    made_[name] = nullptr;  // so that a struct that holds itself comes to an end
    made_[name] = definition(schema);
  }
  return {{"$ref", "#/$defs/" + name}};
}

}  // namespace

std::string json_schema() {
  Definitions definitions;
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "lab.toml"}};
  schema.update(definitions.reference(capnp::Schema::from<schema::Lab>()));
  schema["$defs"] = std::move(definitions).take();
  return schema.dump(2) + "\n";
}

}  // namespace relab::lab
