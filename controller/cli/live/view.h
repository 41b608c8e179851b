#pragma once

/// What a run looks like at one moment, for the lowest lines of a terminal.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "controller/engine/engine.h"
#include "controller/report/pace.h"
#include "controller/report/style.h"

namespace relab::controller {

struct LiveStep {
  /// Without phase and track.
  std::string name;
  StepState state = StepState::waiting;
  Wait wait = Wait::nothing;
  /// Why it failed, or what it waits for.
  std::string why = {};
  /// What it does at the moment.
  std::string doing = {};
  std::optional<Pace> pace = {};

  bool ended() const {
    return state == StepState::succeeded || state == StepState::failed ||
           state == StepState::blocked;
  }
};

struct LiveTrack {
  std::string name;
  std::string agent;
  /// It answers, or nobody knows.
  bool agent_there = true;
  std::vector<LiveStep> steps;
};

struct LiveView {
  /// "0b  Backup of the pool"
  std::string title;
  Millis since{};
  std::vector<LiveTrack> tracks = {};
  /// Agents that answer.
  std::set<std::string> there = {};
  /// Why those that are away are; by name.
  std::map<std::string, std::string> away = {};
  /// Of gates further on: "1: backup.verified, key.proven".
  std::vector<std::string> open_conditions = {};
};

/// At most so many lines: what runs, fails or waits for a person comes before what is done or
/// waits its turn. On a narrow terminal (`style.width`) bars are shorter, or left out, so that rate
/// and time are to be seen.
std::vector<std::string> render_live(const LiveView& view, std::size_t rows, const Style& style);

/// "[=======>    ]" of so many columns.
std::string progress_bar(std::uint64_t done, std::uint64_t total, std::size_t columns);

}  // namespace relab::controller
