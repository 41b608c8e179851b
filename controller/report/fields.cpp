#include "controller/report/fields.h"

#include <utility>

#include "common/reflect/notes.h"
#include "controller/report/words.h"

namespace relab::controller {

namespace {

constexpr std::uint16_t no_union = 0xFFFF;

bool holds(capnp::DynamicStruct::Reader value, capnp::StructSchema::Field field) {
  if (field.getProto().getDiscriminantValue() == no_union) return true;
  if (reflect::is_unset(field)) return false;
  KJ_IF_MAYBE (member, value.which()) {
    return *member == field;
  }
  return false;
}

std::string name_of(capnp::StructSchema::Field field) {
  return human_name(field.getProto().getName().cStr());
}

void add(std::vector<Named>& to, const std::string& outer, std::vector<Named> scalars) {
  for (auto& scalar : scalars) {
    scalar.name = outer + " " + scalar.name;
    to.push_back(std::move(scalar));
  }
}

}  // namespace

bool is_list_of_structs(capnp::Type type) {
  return type.isList() && type.asList().getElementType().isStruct();
}

bool is_coverage(capnp::StructSchema::Field field) {
  return field.getType().isStruct() &&
         field.getType().asStruct() == capnp::Schema::from<schema::Coverage>();
}

std::vector<capnp::StructSchema::Field> fields_of(capnp::DynamicStruct::Reader value) {
  std::vector<capnp::StructSchema::Field> fields;
  for (const auto field : value.getSchema().getFields())
    if (holds(value, field)) fields.push_back(field);
  return fields;
}

Contents contents_of(capnp::DynamicStruct::Reader value) {
  Contents contents;
  for (const auto field : fields_of(value)) {
    if (is_coverage(field)) continue;
    auto name = name_of(field);
    if (field.getType().isStruct()) {
      contents.structs.push_back({std::move(name), value.get(field).as<capnp::DynamicStruct>()});
    } else if (is_list_of_structs(field.getType())) {
      contents.lists.push_back({std::move(name), value.get(field).as<capnp::DynamicList>()});
    } else {
      contents.scalars.push_back({std::move(name), show(value, field)});
    }
  }
  return contents;
}

Contents flattened(capnp::DynamicStruct::Reader value) {
  auto contents = contents_of(value);
  for (const auto& [name, inner] : std::exchange(contents.structs, {})) {
    auto nested = flattened(inner);
    add(contents.scalars, name, std::move(nested.scalars));
    for (auto& list : nested.lists) contents.lists.push_back({name + " " + list.name, list.rows});
  }
  return contents;
}

std::optional<schema::Coverage::Reader> coverage_of(capnp::DynamicStruct::Reader facts) {
  for (const auto field : facts.getSchema().getFields())
    if (is_coverage(field))
      return facts.get(field).as<capnp::DynamicStruct>().as<schema::Coverage>();
  return {};
}

}  // namespace relab::controller
