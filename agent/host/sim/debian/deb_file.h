#pragma once

/// What a .deb says of itself.

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace relab::agent::sim {

/// Its control file. A text that begins with "Package:" stands for a .deb that has it, and nothing
/// else. Fault::damaged if it is neither. https://manpages.debian.org/deb.5
Result<std::string> control_of(std::string_view deb);

/// A field of it, on one line; empty without it.
std::string field_of(std::string_view control, std::string_view name);

}  // namespace relab::agent::sim
