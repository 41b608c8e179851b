#pragma once

/// The documentation of the task kinds, from the schema.

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace relab::lab {

/// One line for each task kind, by its name in lab.toml.
std::string describe_kinds();

/// Everything the schema says of one task kind, by its name in lab.toml ("audit_zfs") or in the
/// schema ("auditZfs"). Fault::missing, with the nearest name, if there is none.
Result<std::string> describe_kind(std::string_view name);

}  // namespace relab::lab
