#pragma once

/// Unions by reflection.

#include <capnp/dynamic.h>
#include <string_view>

namespace relab::reflect {

/// The name of the member that a union holds; "unknown" for one of a newer schema.
std::string_view member_of(capnp::DynamicStruct::Reader value);

}  // namespace relab::reflect
