#pragma once

/// Steps that were at work at the same time on the same thing. In a rehearsal each does at its
/// beginning all that it does, and only then takes its time: what one would have seen of the other
/// half-way, and that they share a disk, is not played. That must not pass for a success.

#include <vector>

#include "controller/rehearsal/course.h"
#include "controller/rehearsal/rehearsal.h"

namespace relab::rehearsal {

/// Of those of one agent, in different tracks, of which at least one changed something. Tasks of
/// one kind do not count: they are made to go on beside each other.
std::vector<Trouble> side_by_side(schema::Lab::Reader lab, const controller::State& state,
                                  const Course& course);

}  // namespace relab::rehearsal
