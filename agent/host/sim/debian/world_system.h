#pragma once

/// The files of a machine from which an audit of its packages reads what the world says of them.

#include "agent/host/sim/debian/debian.h"

namespace relab::agent::sim {

/// Packages, units and timers.
DebianStart start_of(World world);
/// What the kernel and the firmware tell of the running system.
void write_system(SimHost& host, World world);
void write_hardware(SimHost& host, World world);
/// Sources of packages, pins, and what asks for a restart.
void write_sources(SimHost& host, World world);

}  // namespace relab::agent::sim
