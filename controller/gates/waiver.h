#pragma once

/// A person's signed word that a phase may begin although a condition of its gate is not met. It
/// covers exactly what was not met when it was given, for that one condition of that one gate, and
/// only for a time.

#include <chrono>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "controller/gates/gate.h"

namespace relab::controller {

/// The reason given in the newest waiver that covers this verdict of the gate of `phase` now; empty
/// if none does.
std::string waived(const std::string& phase, const Verdict& verdict, const Evidences& evidences);

struct WaiverWish {
  std::string reason;
  std::chrono::seconds valid_for;
};

/// What is to be signed so that the gate opens: one for each condition that is not met.
/// Fault::conflict if the gate is open; Fault::refused, with the names, if what is not met is
/// absolute; Fault::invalid without a reason.
Result<std::vector<Message<schema::Waiver>>> waivers_for(const Gate& gate, const WaiverWish& wish,
                                                         const Evidences& evidences);

}  // namespace relab::controller
