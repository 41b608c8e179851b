#pragma once

/// Whether a machine that a person has described by hand, or edited, can be one at all.

#include <string>

#include "schema/world.capnp.h"

namespace relab::rehearsal {

/// What no machine has, in words; empty: it may be one. What only is odd, as a guest's disk on a
/// storage that is not there any more, is found on real machines, too.
std::string impossible(schema::World::Reader world);

}  // namespace relab::rehearsal
