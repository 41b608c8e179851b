#pragma once

/// What a person is asked to approve, and the statement that is made of it.

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "controller/gates/clearance.h"

namespace relab::controller {

/// One step that destroys, with the evidence that it would be done on.
struct Deed {
  PlannedStep step;
  NeedsJudged needs;
  /// What it would destroy, as the evidence shows it.
  std::vector<std::string> victims = {};
};

/// All of a phase that are still to be done.
std::vector<Deed> deeds_of(const PhasePlan& plan, const Evidences& evidences);

/// The names that a person has to type.
std::set<std::string> hosts_of(const std::vector<Deed>& deeds);

/// To be signed once every name was typed: these deeds of this plan, on this evidence.
Message<schema::Approval> approval_of(const PhasePlan& plan, const std::vector<Deed>& deeds,
                                      std::chrono::seconds valid_for, const Evidences& evidences);

}  // namespace relab::controller
