#include "agent/worker/ending.h"

#include <fmt/format.h>

namespace relab::agent {

namespace {

std::string words_of(StopReason reason) {
  switch (reason) {
    case StopReason::cancelled:
      return "the task was cancelled";
    case StopReason::out_of_time:
      return "the task did not end before its deadline";
    case StopReason::draining:
      return "the agent was told to stop";
  }
  return {};
}

/// Why it did not succeed, once it was stopped: a stop that came too late to matter changes
/// nothing, and nobody knows more than before where the way back failed.
void take_stop(StopReason reason, TaskEnd& end) {
  const bool missed =
      reason == StopReason::out_of_time && end.failure.fault == Fault::missing;  // by a person
  if (end.outcome != schema::Outcome::UNKNOWN)
    end.outcome =
        reason == StopReason::cancelled ? schema::Outcome::CANCELLED : schema::Outcome::FAILED;
  if (!missed) end.failure = {.fault = Fault::cancelled, .what = words_of(reason)};
}

}  // namespace

void take_work(Work work, std::optional<StopReason> stopped, TaskEnd& end) {
  end.outcome = work.outcome;
  end.failure = std::move(work.failure);
  end.facts = std::move(work.facts);
  end.changes = std::move(work.changes);
  if (stopped && end.outcome != schema::Outcome::SUCCEEDED) take_stop(*stopped, end);
  if (!work.aftermath.empty())
    end.failure = {.fault = end.failure.fault,
                   .what = fmt::format("{}; {}", end.failure.sentence(), work.aftermath),
                   .hint = end.failure.hint};
}

}  // namespace relab::agent
