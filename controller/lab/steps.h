#pragma once

/// The steps of all phases and tracks, for checks that look at each of them.

#include "controller/lab/findings.h"
#include "schema/lab.capnp.h"

namespace relab::lab {

/// `visit(step, path)` for each step of the plan, with the path by which findings name it.
template <typename Visit>
void each_step(schema::Lab::Reader lab, const Findings& findings, Visit visit) {
  const auto phases = lab.getPlan().getPhases();
  for (unsigned i = 0; i < phases.size(); ++i) {
    const auto tracks_path = findings.element_path("plan.phases", i) + ".tracks";
    for (unsigned j = 0; j < phases[i].getTracks().size(); ++j) {
      const auto steps_path = findings.element_path(tracks_path, j) + ".steps";
      const auto steps = phases[i].getTracks()[j].getSteps();
      for (unsigned k = 0; k < steps.size(); ++k)
        visit(steps[k], findings.element_path(steps_path, k));
    }
  }
}

}  // namespace relab::lab
