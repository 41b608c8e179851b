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

/// What other sections of the audit know of a machine; nothing: it was not read.
using AuditedGuests = std::optional<schema::AuditGuests::Facts::Reader>;
using AuditedPools = std::optional<schema::AuditZfs::Facts::Reader>;

/// Declared things of this host that a section's facts do not show, as sentences. A service must be
/// in the very guest that is declared to have it: `guests` tells which one that is. A disk of data
/// may be away if `pools` shows its pool without a member: other conditions judge that pool. Nobody
/// can look for services in virtual machines.
std::vector<std::string> unseen(schema::Lab::Reader lab, schema::Lab::Host::Reader host,
                                std::string_view section, schema::Facts::Reader facts,
                                const AuditedGuests& guests, const AuditedPools& pools);

}  // namespace relab::controller
