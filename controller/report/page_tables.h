#pragma once

/// Facts as the report's page has them: tables of texts, docs/formats/report.md.

#include <capnp/dynamic.h>
#include <nlohmann/json.hpp>

namespace relab::controller {

/// The scalars first, in a table of two columns, then each list that is not empty, then the lists
/// within its rows.
nlohmann::json page_tables(capnp::DynamicStruct::Reader facts);

}  // namespace relab::controller
