#include "common/reflect/notes.h"

#include <capnp/any.h>
#include <cctype>

#include "schema/annotations.capnp.h"
#include "schema/task.capnp.h"

namespace relab::reflect {

namespace {

// The ids of schema/annotations.capnp; the generated code has no names for them.
enum class Id : std::uint64_t {
  doc = 0xb5a1d7a4a9b0c101,
  ref = 0xb5a1d7a4a9b0c102,
  key = 0xb5a1d7a4a9b0c103,
  required = 0xb5a1d7a4a9b0c104,
  unit = 0xb5a1d7a4a9b0c105,
  example = 0xb5a1d7a4a9b0c106,
  pattern = 0xb5a1d7a4a9b0c107,
  range = 0xb5a1d7a4a9b0c108,
  secret = 0xb5a1d7a4a9b0c109,
  audit = 0xb5a1d7a4a9b0c10a,
  convergent = 0xb5a1d7a4a9b0c10b,
  section = 0xb5a1d7a4a9b0c10c,
  limit = 0xb5a1d7a4a9b0c10d,
  is_volatile = 0xb5a1d7a4a9b0c10e,
  destructive = 0xb5a1d7a4a9b0c10f,
  needs = 0xb5a1d7a4a9b0c110,
  commit_confirmed = 0xb5a1d7a4a9b0c111,
  resource = 0xb5a1d7a4a9b0c112,
  waits = 0xb5a1d7a4a9b0c113,
};

using Annotation = capnp::schema::Annotation::Reader;

std::string text(const Annotation& annotation) {
  const auto value = annotation.getValue().getText();
  return {value.begin(), value.size()};
}

Limits limits(const Annotation& annotation) {
  const auto range = annotation.getValue().getStruct().getAs<schema::Range>();
  return {.least = range.getLeast(), .greatest = range.getGreatest()};
}

void take(Notes& notes, const Annotation& annotation) {
  switch (static_cast<Id>(annotation.getId())) {
    case Id::doc:
      notes.doc = text(annotation);
      return;
    case Id::ref:
      notes.ref = text(annotation);
      return;
    case Id::key:
      notes.key = notes.required = true;
      return;
    case Id::required:
      notes.required = true;
      return;
    case Id::unit:
      notes.unit = text(annotation);
      return;
    case Id::example:
      notes.example = text(annotation);
      return;
    case Id::pattern:
      notes.pattern = text(annotation);
      return;
    case Id::range:
      notes.range = limits(annotation);
      return;
    case Id::secret:
      notes.secret = true;
      return;
    case Id::audit:
      notes.audit = text(annotation);
      return;
    case Id::convergent:
      notes.convergent = true;
      return;
    case Id::limit:
      notes.limit = text(annotation);
      return;
    case Id::is_volatile:
      notes.is_volatile = true;
      return;
    case Id::section:
      notes.section = true;
      return;
    case Id::destructive:
      notes.destructive = true;
      return;
    case Id::needs:
      for (const auto need : annotation.getValue().getList().getAs<capnp::List<capnp::Text>>())
        notes.needs.emplace_back(need.begin(), need.size());
      return;
    case Id::commit_confirmed:
      notes.commit_confirmed = true;
      return;
    case Id::resource:
      notes.resource = text(annotation);
      return;
    case Id::waits:
      notes.waits = true;
      return;
  }
}

std::string doc_in(capnp::List<capnp::schema::Annotation>::Reader annotations) {
  for (const auto annotation : annotations)
    if (static_cast<Id>(annotation.getId()) == Id::doc) return text(annotation);
  return {};
}

}  // namespace

Notes notes_of(capnp::StructSchema::Field field) {
  Notes notes;
  for (const auto annotation : field.getProto().getAnnotations()) take(notes, annotation);
  return notes;
}

Notes notes_of_kind(std::string_view arm) {
  KJ_IF_MAYBE (field, capnp::Schema::from<schema::Task>().findFieldByName(
                          kj::StringPtr(std::string(arm).c_str())))
    return notes_of(*field);
  return {};
}

std::string doc_of(capnp::Schema schema) { return doc_in(schema.getProto().getAnnotations()); }

std::string doc_of(capnp::EnumSchema::Enumerant enumerant) {
  return doc_in(enumerant.getProto().getAnnotations());
}

std::string snake_case(std::string_view camel) {
  std::string snake;
  for (const auto letter : camel) {
    const auto byte = static_cast<unsigned char>(letter);
    if (std::isupper(byte) != 0) snake += '_';
    snake += static_cast<char>(std::tolower(byte));
  }
  return snake;
}

std::string key_of(capnp::StructSchema::Field field) {
  return snake_case(field.getProto().getName().cStr());
}

std::string key_of(capnp::EnumSchema::Enumerant enumerant) {
  return snake_case(enumerant.getProto().getName().cStr());
}

bool is_unset(capnp::StructSchema::Field field) {
  return field.getProto().getDiscriminantValue() == 0 && field.getProto().getName() == "unset";
}

bool is_unset(capnp::EnumSchema::Enumerant enumerant) {
  return enumerant.getOrdinal() == 0 && enumerant.getProto().getName() == "unset";
}

std::vector<capnp::StructSchema::Field> choices(capnp::StructSchema schema) {
  std::vector<capnp::StructSchema::Field> fields;
  for (const auto field : schema.getUnionFields())
    if (!is_unset(field)) fields.push_back(field);
  return fields;
}

std::vector<std::string> audit_sections() {
  std::vector<std::string> names;
  for (const auto field : capnp::Schema::from<schema::Task>().getUnionFields())
    if (auto name = notes_of(field).audit; !name.empty()) names.push_back(std::move(name));
  return names;
}

}  // namespace relab::reflect
