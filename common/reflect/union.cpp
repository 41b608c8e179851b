#include "common/reflect/union.h"

namespace relab::reflect {

std::string_view member_of(capnp::DynamicStruct::Reader value) {
  KJ_IF_MAYBE (field, value.which()) {
    const auto name = field->getProto().getName();
    return {name.begin(), name.size()};
  }
  return "unknown";
}

}  // namespace relab::reflect
