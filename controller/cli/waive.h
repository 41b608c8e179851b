#pragma once

/// `relab gate waive`: a person's signed word that a phase may begin all the same.

#include "controller/cli/command.h"

namespace relab::controller::cli {

void declare_waive(boost::program_options::options_description& options);
ExitCode waive(const Values& values, Context& context);

}  // namespace relab::controller::cli
