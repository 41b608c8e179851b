#include "common/reflect/secrets.h"

#include <capnp/dynamic.h>
#include <set>

#include "common/reflect/notes.h"

namespace relab::reflect {

namespace {

using Names = std::set<std::string>;

void gather(capnp::DynamicStruct::Reader params, Names& names);

void gather(const capnp::DynamicValue::Reader& value, bool is_secret, Names& names) {
  switch (value.getType()) {
    case capnp::DynamicValue::STRUCT:
      return gather(value.as<capnp::DynamicStruct>(), names);
    case capnp::DynamicValue::LIST:
      for (const auto element : value.as<capnp::DynamicList>()) gather(element, is_secret, names);
      return;
    case capnp::DynamicValue::TEXT: {
      const auto text = value.as<capnp::Text>();
      if (is_secret && text.size() != 0) names.emplace(text.begin(), text.size());
      return;
    }
    default:
      return;
  }
}

void gather(capnp::DynamicStruct::Reader params, Names& names) {
  const auto take = [&](capnp::StructSchema::Field field) {
    gather(params.get(field), notes_of(field).secret, names);
  };
  for (const auto field : params.getSchema().getNonUnionFields()) take(field);
  KJ_IF_MAYBE (member, params.which()) take(*member);
}

}  // namespace

std::vector<std::string> secrets_of(schema::Task::Reader task) {
  Names names;
  gather(capnp::toDynamic(task), names);
  return {names.begin(), names.end()};
}

}  // namespace relab::reflect
