#pragma once

/// What a lab file declares of a machine, and whether the audit saw it.

#include <map>
#include <optional>
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

/// What the audit knows of a machine's guests; nothing: it was not read.
using AuditedGuests = std::optional<schema::AuditGuests::Facts::Reader>;

/// Declared things of this host that a section's facts do not show, as sentences. A service must be
/// in the very guest that is declared to have it: `guests` tells which one that is.
std::vector<std::string> unseen(schema::Lab::Reader lab, schema::Lab::Host::Reader host,
                                std::string_view section, schema::Facts::Reader facts,
                                const AuditedGuests& guests);

}  // namespace relab::controller
