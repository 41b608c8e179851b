#pragma once

/// What commands print with `--output json`, for whoever composes it into something larger.

#include <nlohmann/json.hpp>
#include <vector>

#include "controller/gates/gate.h"
#include "controller/plan/plan.h"
#include "controller/report/audit.h"
#include "controller/run/book.h"

namespace relab::controller::cli {

/// As `relab agents`.
nlohmann::json agents_json(const State& state);
/// As `relab ledger verify`, of a ledger that verified when it was opened.
nlohmann::json ledger_json(const Book& book);
/// As `relab ledger show`.
nlohmann::json history_json(const Book& book);
/// As `relab audit survive`.
nlohmann::json survival_json(const Evidences& evidences);
/// As `relab plan` has a step.
nlohmann::json step_json(const PlannedStep& step);
/// What `relab audit show` shows.
std::vector<SectionView> audit_views(schema::Lab::Reader lab, const State& state);

}  // namespace relab::controller::cli
