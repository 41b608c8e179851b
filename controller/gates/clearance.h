#pragma once

/// Whether a step whose kind has needs, or destroys, may be ordered now: below the plan, whatever
/// lab.toml says. The agent asks the same once more.

#include <string>
#include <vector>

#include "controller/engine/engine.h"
#include "controller/gates/gate.h"
#include "controller/plan/plan.h"
#include "controller/state/state.h"

namespace relab::controller {

/// What an order for such a step brings along.
struct Grounds {
  /// The signed reports, in the order of the needs.
  std::vector<const Evidence*> evidence = {};
  /// The Envelope around the approval; null where none is needed.
  const Bytes* approval = nullptr;
};

struct Cleared {
  Clearance clearance = {};
  Grounds grounds = {};
};

/// Over all steps of a phase: path, agent, task, times and instruction.
crypto::Digest plan_digest(const PhasePlan& phase);

/// The evidence that the step needs, with how it stands: one finding for each need.
struct NeedsJudged {
  std::vector<Finding> findings;
  std::vector<const Evidence*> evidence;

  bool met() const { return evidence.size() == findings.size(); }
};
NeedsJudged judge_needs(const PlannedStep& step, const Evidences& evidences);

/// What the engine will ask of each guarded step that is still to be done, before it orders it: one
/// verdict for each, which nobody can waive.
std::vector<Verdict> judge_guarded(const PhasePlan& phase, const Evidences& evidences);

/// Evidence first, then the approval of exactly this plan against it. `plan` is that of the whole
/// phase.
Cleared clear(const PlannedStep& step, const crypto::Digest& plan, const Evidences& evidences);

}  // namespace relab::controller
