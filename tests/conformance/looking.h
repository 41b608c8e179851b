#pragma once

/// Task kinds by themselves, without an agent: the audit, and single ones.

#include <string>
#include <vector>

#include "agent/host/host.h"
#include "agent/kinds/support/json.h"
#include "common/wire/message.h"
#include "schema/world.capnp.h"

namespace relab::conformance {

/// What the kinds of these sections find, or of all if none is named; the time is that of its end.
Result<Message<schema::World>> audit(agent::Host& host, const std::string& name,
                                     const std::vector<std::string>& sections);

/// One task, by its JSON: {"zfsSnapshot": {"dataset": "tank", "name": "once"}}. What was found,
/// what was changed, and what was found after it: {"before": FACTS, "changes": ["..."], "after":
/// FACTS}.
Result<agent::Json> perform(agent::Host& host, const std::string& json);

}  // namespace relab::conformance
