#pragma once

/// `relab audit survive`.

#include "controller/cli/command.h"
#include "controller/cli/printer.h"
#include "controller/gates/gate.h"

namespace relab::controller::cli {

/// Shows what becomes of everything that the audit found when the system is installed anew.
/// ExitCode::failed if something wanted would be lost, or if a part of the audit is missing.
ExitCode survive(const Values& values, Context& context, const Evidences& evidences);

/// What would be lost, that nobody gives up and nobody asks to keep: a line for each place.
void show_losses(const Evidences& evidences, Printer& out);

}  // namespace relab::controller::cli
