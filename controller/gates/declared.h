#pragma once

/// What a lab file declares of a machine, and whether the audit saw it.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "controller/gates/gate.h"
#include "schema/task.capnp.h"

namespace relab::controller {

/// Sections that must not be absent on this host, each with what declares them: its `expect`, and
/// whatever the lab lists for it that is not marked as planned.
std::map<std::string, std::string> declared_sections(schema::Lab::Reader lab,
                                                     schema::Lab::Host::Reader host);

/// Declared things of this host that a section's facts do not show, as sentences.
std::vector<std::string> unseen(schema::Lab::Reader lab, schema::Lab::Host::Reader host,
                                std::string_view section, schema::Facts::Reader facts);

}  // namespace relab::controller
