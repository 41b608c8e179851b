#pragma once

/// All of a lab's report, of its ledger: docs/formats/report.md.

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "controller/gates/gate.h"
#include "controller/run/book.h"

namespace relab::controller::cli {

/// Where a report comes from.
struct ReportSource {
  const Book& book;
  const Evidences& evidences;
  /// "runs", or "rehearsal".
  std::string basis = "runs";
};

/// Beside the ledger of a rehearsal that is kept: its report, which the ledger alone cannot give.
inline constexpr std::string_view rehearsed_report = "report.json";

/// Fault::missing where the lab file contradicts itself.
Result<nlohmann::json> compose_report(const ReportSource& source);

/// The first bytes of every page.
std::string_view page_begins();

/// Its page, in place of one that is there; never of anything else.
Result<void> write_page(const std::filesystem::path& path, const nlohmann::json& report);

}  // namespace relab::controller::cli
