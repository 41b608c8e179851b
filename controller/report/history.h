#pragma once

/// The ledger for people: a line for each entry.

#include <optional>
#include <string>
#include <vector>

#include "controller/state/state.h"

namespace relab::controller {

struct HistoryLine {
  std::uint64_t number = 0;
  Instant time = {};
  /// "ordered", "received", ...
  std::string kind = {};
  /// Empty where an entry has none.
  std::string agent = {};
  std::string phase = {};
  std::string task = {};
  std::string run = {};
  std::string what = {};
};

/// What must be of a line; an empty text lets all pass.
struct HistoryFilter {
  std::string kind = {};
  std::string agent = {};
  std::string phase = {};
  /// The task's id, or its end.
  std::string task = {};
  /// The run's id, or its end.
  std::string run = {};
  /// From this time on, and before that one, by the controller's clock.
  std::optional<Instant> since = {};
  std::optional<Instant> until = {};
};

/// The lines that pass, in the ledger's order. The state is that of this very ledger.
std::vector<HistoryLine> history(const Ledger& ledger, const State& state,
                                 const HistoryFilter& filter);

/// Whether the line passes.
bool passes(const HistoryLine& line, const HistoryFilter& filter);

/// The kinds of entries.
std::vector<std::string> history_kinds();

}  // namespace relab::controller
