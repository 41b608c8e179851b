#pragma once

/// What a lab file declares of a machine, and whether the audit saw it.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "controller/gates/gate.h"
#include "schema/task.capnp.h"

namespace relab::controller {

/// Sections that must not be absent on this host, each with what declares them. The host's own
/// `expect` decides if it is given; otherwise what the lab lists. Pools, disks and cards that are
/// declared always count.
std::map<std::string, std::string> declared_sections(schema::Lab::Reader lab,
                                                     schema::Lab::Host::Reader host);

/// Declared things of this host that a section's facts do not show, as sentences.
std::vector<std::string> unseen(schema::Lab::Reader lab, schema::Lab::Host::Reader host,
                                schema::Facts::Reader facts);

}  // namespace relab::controller
