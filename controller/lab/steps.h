#pragma once

/// The steps of all phases and tracks, for checks that look at each of them.

#include "controller/lab/findings.h"
#include "schema/lab.capnp.h"

namespace relab::lab {

/// `visit(track, step, path)` for each step of the plan, with the path by which findings name it.
template <typename Visit>
void each_step_of_tracks(schema::Lab::Reader lab, const Findings& findings, Visit visit) {
  const auto phases = lab.getPlan().getPhases();
  for (unsigned i = 0; i < phases.size(); ++i) {
    const auto tracks_path = findings.element_path("plan.phases", i) + ".tracks";
    for (unsigned j = 0; j < phases[i].getTracks().size(); ++j) {
      const auto track = phases[i].getTracks()[j];
      const auto steps_path = findings.element_path(tracks_path, j) + ".steps";
      for (unsigned k = 0; k < track.getSteps().size(); ++k)
        visit(track, track.getSteps()[k], findings.element_path(steps_path, k));
    }
  }
}

/// `visit(step, path)` for each step of the plan.
template <typename Visit>
void each_step(schema::Lab::Reader lab, const Findings& findings, Visit visit) {
  each_step_of_tracks(lab, findings,
                      [&](schema::Lab::Track::Reader, schema::Lab::Step::Reader step,
                          const std::string& path) { visit(step, path); });
}

}  // namespace relab::lab
