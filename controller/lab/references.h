#pragma once

/// Names that refer to elements of a lab's lists.

#include <capnp/dynamic.h>
#include <string>
#include <string_view>
#include <vector>

#include "controller/lab/findings.h"
#include "controller/lab/walk.h"

namespace relab::lab {

/// The names in the lists of a $ref ("guests", "network.vlans", "hosts|guests"), empty ones left
/// out. Nothing if there is no such list, or its elements have no $key.
std::optional<std::vector<std::string>> names_in(capnp::DynamicStruct::Reader lab,
                                                 std::string_view lists);

/// Reports every reference to a name that does not exist.
void check_references(capnp::DynamicStruct::Reader lab, const std::vector<Reference>& references,
                      Findings& findings);

}  // namespace relab::lab
