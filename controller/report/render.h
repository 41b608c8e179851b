#pragma once

/// Facts as people read them, for every section of the audit by reflection over the schema.

#include <capnp/dynamic.h>
#include <string>

#include "controller/report/style.h"

namespace relab::controller {

/// The coverage first, then scalars as "name  value" lines, then each list of structs as a table
/// with the lists within its rows as tables after it, then a line that names the lists that are
/// empty. Facts of any struct; texts from the machines are made harmless. Never empty.
std::string render(capnp::DynamicStruct::Reader facts, const Style& style);

}  // namespace relab::controller
