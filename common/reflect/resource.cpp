#include "common/reflect/resource.h"

#include <capnp/dynamic.h>

#include "common/reflect/notes.h"

namespace relab::reflect {

namespace {

/// What the parameter names: by its name, or by its number.
std::string name_in(capnp::DynamicValue::Reader value) {
  if (value.getType() == capnp::DynamicValue::UINT)
    return std::to_string(value.as<std::uint64_t>());
  const auto text = value.as<capnp::Text>();
  return {text.begin(), text.size()};
}

}  // namespace

std::string resource_of(schema::Task::Reader task) {
  const auto value = capnp::toDynamic(task);
  KJ_IF_MAYBE (arm, value.which()) {
    if (!arm->getType().isStruct()) return {};
    const auto params = value.get(*arm).as<capnp::DynamicStruct>();
    for (const auto field : params.getSchema().getFields()) {
      const auto notes = notes_of(field);
      if (notes.resource.empty()) continue;
      // What has no name of its own is one and the same for all.
      if (field.getType().isList()) return notes.resource;
      return notes.resource + " " + name_in(params.get(field));
    }
  }
  return {};
}

}  // namespace relab::reflect
