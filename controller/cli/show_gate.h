#pragma once

/// How a gate is shown to people and programs.

#include "controller/cli/printer.h"
#include "controller/gates/gate.h"

namespace relab::controller::cli {

nlohmann::json to_json(const Gate& gate);
/// How much is told of each finding.
enum class Detail {
  standing,  ///< one line
  origin,    ///< and where its evidence comes from
};

/// `heading` says which side of the phase is shown: "gate of 0b", "what 0a must show".
void show(const Gate& gate, const std::string& heading, Printer& out,
          Detail detail = Detail::standing);

}  // namespace relab::controller::cli
