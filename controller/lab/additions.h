#pragma once

/// What relab itself adds to a lab file: nobody has to remember it, and nobody can leave it out.

#include <chrono>

#include "schema/lab.capnp.h"

namespace relab::lab {

/// How old the evidence may be for which relab itself asks.
constexpr std::chrono::seconds proof_age_max = std::chrono::days(7);

bool destroys(schema::Lab::Step::Reader step);
/// Whether the phase installs an operating system anew, or has a step that destroys something.
bool is_guarded(schema::Lab::Phase::Reader phase);

/// To the gate of each phase that is guarded, unless it only wipes disks of a lab without data:
/// that the audit is complete, and that what must not be lost survives; in a lab with pools of data
/// also that these are intact and were copied, that the copies were verified and tried, and that
/// their keys open them. What the file asks for already keeps its age. To each `path_check` without
/// paths: those that [[keep]] names of its host. To tasks about a container: what [[guests]]
/// declares of it.
void complete_lab(schema::Lab::Builder lab);

}  // namespace relab::lab
