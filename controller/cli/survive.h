#pragma once

/// `relab audit survive`.

#include "controller/cli/command.h"
#include "controller/gates/gate.h"

namespace relab::controller::cli {

/// Shows what becomes of everything that the audit found when the system is installed anew.
/// ExitCode::failed if something wanted would be lost, or if a part of the audit is missing.
ExitCode survive(const Values& values, Context& context, const Evidences& evidences);

}  // namespace relab::controller::cli
