#pragma once

/// The JSON Schema of lab.toml, for editors: made from the Cap'n Proto schema.

#include <string>

namespace relab::lab {

/// Draft 2020-12, indented. What a JSON Schema cannot say (references, addresses, order of phases)
/// is left to `parse_lab`; what it does say is never stricter.
std::string json_schema();

}  // namespace relab::lab
