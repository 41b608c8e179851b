#pragma once

/// How a gate is shown to people and programs.

#include "controller/cli/printer.h"
#include "controller/gates/gate.h"

namespace relab::controller::cli {

nlohmann::json to_json(const Gate& gate);
/// Of a phase: what has to hold before it (`entry`), when turns of its steps come (`steps`), and
/// behind it (`proof`).
struct GateSides {
  Gate entry;
  Gate proof;
  Gate steps;

  bool open() const { return entry.open && proof.open && steps.open; }
};
Result<GateSides> judge_sides(const std::string& phase, const Evidences& evidences);
nlohmann::json to_json(const GateSides& sides);

/// How much is told of each finding.
enum class Detail {
  standing,  ///< one line
  origin,    ///< and where its evidence comes from
};

/// `heading` says which side of the phase is shown: "gate of 0b", "what 0a must show".
void show(const Gate& gate, const std::string& heading, Printer& out,
          Detail detail = Detail::standing);

}  // namespace relab::controller::cli
