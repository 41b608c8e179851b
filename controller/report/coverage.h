#pragma once

/// How much of a section was read, said first and loudly: an empty list is never mistaken for a
/// look that did not happen.

#include <string>

#include "controller/report/style.h"
#include "schema/coverage.capnp.h"

namespace relab::controller {

/// Empty if everything was read. Problems keep their alarm in every form.
std::string render_coverage(schema::Coverage::Reader coverage, const Style& style);

/// In a few words for an overview: "absent: no zpool on this machine", "2 problems"; empty if
/// everything was read.
std::string coverage_in_short(schema::Coverage::Reader coverage);

}  // namespace relab::controller
