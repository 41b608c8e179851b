#pragma once

/// What is known of a pool beside the report that a condition goes by, and speaks against it.

#include <set>
#include <string>

#include "controller/gates/data_pools.h"

namespace relab::controller {

/// Whether that is later than now, by more than clocks differ: one of them was set.
bool is_ahead(Instant now, Instant then);

/// Why the pool is not intact although that look at its health saw nothing: no scrub that ended not
/// long before it, or a later one that found something or did not succeed. Empty: nothing is known.
std::string scrub_concern(const Evidences& evidences, LabPool pool, const TaskRecord& health);

/// A dataset of the pool that an audit saw after the verification, and of which the copy has
/// nothing, in words. Empty: there is none.
std::string left_out(const Evidences& evidences, LabPool pool, const TaskRecord& verify,
                     const std::set<std::string>& copied);

}  // namespace relab::controller
