// What the rest relies on: the schema of the lab is complete and consistent in itself.

#include <capnp/message.h>
#include <regex>
#include <set>

#include "common/reflect/notes.h"
#include "controller/lab/references.h"
#include "schema/lab.capnp.h"
#include "tests/support/must.h"

namespace relab::lab {

namespace {

using Field = capnp::StructSchema::Field;

void collect(capnp::StructSchema schema, std::set<std::uint64_t>& seen,
             std::vector<Field>& fields) {
  if (!seen.insert(schema.getProto().getId()).second) return;
  for (const auto field : schema.getFields()) {
    if (reflect::is_unset(field)) continue;
    fields.push_back(field);
    auto type = field.getType();
    while (type.isList()) type = type.asList().getElementType();
    if (type.isStruct()) collect(type.asStruct(), seen, fields);
  }
}

/// Every field that a lab file can give, the parameters of all task kinds included.
std::vector<Field> all_fields() {
  std::set<std::uint64_t> seen;
  std::vector<Field> fields;
  collect(capnp::Schema::from<schema::Lab>(), seen, fields);
  return fields;
}

std::string name_of(Field field) {
  return std::string(field.getContainingStruct().getShortDisplayName().cStr()) + "." +
         field.getProto().getName().cStr();
}

}  // namespace

TEST_CASE("schema of the lab: every field has its documentation", "[controller][lab]") {
  for (const auto field : all_fields()) {
    INFO(name_of(field));
    CHECK_FALSE(reflect::notes_of(field).doc.empty());
  }
}

TEST_CASE("schema of the lab: every enum starts with unset and documents the rest",
          "[controller][lab]") {
  for (const auto field : all_fields()) {
    if (!field.getType().isEnum()) continue;
    INFO(name_of(field));
    const auto enumerants = field.getType().asEnum().getEnumerants();
    CHECK(reflect::is_unset(enumerants[0]));
    for (unsigned i = 1; i < enumerants.size(); ++i)
      CHECK_FALSE(reflect::doc_of(enumerants[i]).empty());
  }
}

TEST_CASE("schema of the lab: every reference names a list that exists", "[controller][lab]") {
  capnp::MallocMessageBuilder builder;
  const auto lab = capnp::toDynamic(builder.initRoot<schema::Lab>().asReader());
  for (const auto field : all_fields()) {
    const auto notes = reflect::notes_of(field);
    INFO(name_of(field));
    if (!notes.ref.empty()) CHECK(names_in(lab, notes.ref).has_value());
  }
}

TEST_CASE("schema of the lab: every pattern is anchored and compiles", "[controller][lab]") {
  for (const auto field : all_fields()) {
    const auto pattern = reflect::notes_of(field).pattern;
    if (pattern.empty()) continue;
    INFO(name_of(field));
    CHECK(pattern.starts_with('^'));
    CHECK(pattern.ends_with('$'));
    CHECK_NOTHROW(std::regex(pattern, std::regex::ECMAScript));
  }
}

TEST_CASE("schema of the lab: no two keys of a table have one spelling", "[controller][lab]") {
  std::set<std::string> keys;
  for (const auto field : all_fields()) {
    const auto id = field.getContainingStruct().getProto().getId();
    INFO(name_of(field));
    CHECK(keys.insert(std::to_string(id) + reflect::key_of(field)).second);
  }
}

TEST_CASE("schema of the tasks: no two kinds are one section of the audit", "[controller][lab]") {
  const auto sections = reflect::audit_sections();
  const std::set<std::string> unique(sections.begin(), sections.end());

  CHECK(sections.size() == 11);
  CHECK(unique.size() == sections.size());
}

TEST_CASE("names: fields are known by their names in snake case", "[common][reflect]") {
  CHECK(reflect::snake_case("maxAge") == "max_age");
  CHECK(reflect::snake_case("name") == "name");
  CHECK(reflect::snake_case("openWebui") == "open_webui");
}

}  // namespace relab::lab
