#pragma once

/// What the lab file and the machines say differently, and what of the plan collides with them or
/// does not fit: no task meets with it, and a machine would take it without a word.

#include <vector>

#include "controller/rehearsal/rehearsal.h"

namespace relab::rehearsal {

std::vector<Trouble> contradictions(schema::Lab::Reader lab,
                                    const std::vector<Message<schema::World>>& worlds);

}  // namespace relab::rehearsal
