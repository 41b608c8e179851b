#pragma once

/// Whether what a task says of a simulated machine is true: looked up in the machine itself, not by
/// the ways of the task.

#include <string>

#include "agent/host/sim/machine/machine.h"
#include "schema/wire.capnp.h"

namespace relab::rehearsal {

/// What is not so although this task of the machine's own agent has just succeeded; empty: it is,
/// or it is of a kind whose truth is not known here.
std::string lie_of(schema::Task::Reader task, agent::sim::Machine& machine);

}  // namespace relab::rehearsal
