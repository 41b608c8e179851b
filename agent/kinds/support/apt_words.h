#pragma once

/// What apt and dpkg complain of, in one line of a report.

#include <string>
#include <string_view>

namespace relab::agent {

/// The first lines that tell of an error, or, without one, the last line.
std::string complaint_of(std::string_view text);

/// The first line that tells which package cannot have what it needs, to stand before the
/// complaint; empty without one.
std::string conflict_of(std::string_view text);

}  // namespace relab::agent
