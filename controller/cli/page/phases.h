#pragma once

/// Phases, tracks and steps as the report's page has them: docs/formats/report.md.

#include <nlohmann/json.hpp>

#include "controller/gates/gate.h"

namespace relab::controller::cli {

/// In the order of the plan. Fault::missing where the lab file contradicts itself.
Result<nlohmann::json> phases_json(const Evidences& evidences);

/// What is so, and what to do next, by those phases.
nlohmann::json verdict_json(const nlohmann::json& phases);

}  // namespace relab::controller::cli
