#include "common/reflect/resource.h"

#include <capnp/dynamic.h>

#include "common/reflect/notes.h"

namespace relab::reflect {

std::string resource_of(schema::Task::Reader task) {
  const auto value = capnp::toDynamic(task);
  KJ_IF_MAYBE (arm, value.which()) {
    if (!arm->getType().isStruct()) return {};
    const auto params = value.get(*arm).as<capnp::DynamicStruct>();
    for (const auto field : params.getSchema().getFields()) {
      const auto notes = notes_of(field);
      if (notes.resource.empty()) continue;
      const auto text = params.get(field).as<capnp::Text>();
      return notes.resource + " " + std::string(text.begin(), text.size());
    }
  }
  return {};
}

}  // namespace relab::reflect
