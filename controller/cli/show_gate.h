#pragma once

/// How a gate is shown to people and programs.

#include "controller/cli/printer.h"
#include "controller/gates/gate.h"

namespace relab::controller::cli {

nlohmann::json to_json(const Gate& gate);
/// `heading` says which side of the phase is shown: "gate of 0b", "what 0a must show".
void show(const Gate& gate, const std::string& heading, Printer& out);

}  // namespace relab::controller::cli
