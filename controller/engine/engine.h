#pragma once

/// The controller's decisions about one run of a phase, as a pure state machine: events in, effects
/// out, time with the event.

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/base/id.h"
#include "common/base/time.h"
#include "controller/plan/plan.h"
#include "schema/ledger.capnp.h"
#include "schema/wire.capnp.h"

namespace relab::controller {

namespace event {

/// An agent said hello; `held` are the tasks in its journal.
struct AgentUp {
  std::string agent;
  std::set<TaskId> held;
  bool journal_lost = false;
};
struct AgentDown {
  std::string agent;
};
/// The agent has the order in its journal.
struct Accepted {
  TaskId task;
  /// The agent says that it ended the task: its report is on its way, or was let go.
  bool finished = false;
};
struct Refused {
  TaskId task;
  schema::Refusal refusal;
  std::string what;
};
/// A report that is in the ledger.
struct Reported {
  TaskId task;
  schema::Outcome outcome;
  /// Why, where it did not succeed.
  std::string why = {};
};
struct Ticked {};

}  // namespace event

using Event = std::variant<event::AgentUp, event::AgentDown, event::Accepted, event::Refused,
                           event::Reported, event::Ticked>;

namespace effect {

/// Sign an order for the step under this task id, record it, send it. The id may have been ordered
/// before.
struct Order {
  std::string step;
  TaskId task;
  std::uint32_t attempt;
  bool operator==(const Order&) const = default;
};
/// Record that nobody waits for the task any more.
struct Abandon {
  TaskId task;
  schema::Abandoned::Reason reason;
  std::string why;
  bool operator==(const Abandon&) const = default;
};
/// Record the agent's refusal.
struct RecordRefusal {
  TaskId task;
  bool operator==(const RecordRefusal&) const = default;
};
/// Ask the agent for a new hello.
struct Reattach {
  std::string agent;
  bool operator==(const Reattach&) const = default;
};

}  // namespace effect

using Effect =
    std::variant<effect::Order, effect::Abandon, effect::RecordRefusal, effect::Reattach>;

enum class StepState {
  waiting,    ///< for the steps before it, or for its agent
  ordered,    ///< sent; the agent has not said that it has it
  accepted,   ///< in the agent's journal
  succeeded,  ///< its report says so
  failed,     ///< whatever else came of it
  blocked,    ///< a step before it failed
};

std::string_view name(StepState state);

/// A step of a run.
struct StepRun {
  PlannedStep step;
  StepState state = StepState::waiting;
  std::optional<TaskId> task = {};
  std::uint32_t attempt = 0;
  /// When to give the task up, and when to send a refused order again.
  Instant gives_up = {};
  std::optional<Instant> again = {};
  unsigned refusals = 0;
  /// Why it failed.
  std::string why = {};

  bool ended() const {
    return state == StepState::succeeded || state == StepState::failed ||
           state == StepState::blocked;
  }
};

/// What an earlier, interrupted controller had got to with a step.
struct Resumed {
  std::string step;
  TaskId task;
  std::uint32_t attempt;
  /// Of the report, if it came.
  std::optional<schema::Outcome> outcome;
  /// Why nobody waits for a report any more: it was refused or given up. Empty if somebody does.
  std::string closed = {};
};

class Engine {
 public:
  using NewTaskId = std::function<TaskId()>;

  Engine(PhasePlan plan, NewTaskId new_task_id, const std::vector<Resumed>& resumed, Instant now);

  std::vector<Effect> on(const Event& event, Instant now);

  const std::vector<std::vector<StepRun>>& tracks() const { return tracks_; }
  std::size_t count(StepState state) const;
  /// Nothing is left to be done or waited for.
  bool done() const;
  /// Agents that are still needed.
  std::set<std::string> needed_agents() const;

 private:
  using Effects = std::vector<Effect>;
  void handle(const event::AgentUp& event, Instant now, Effects& effects);
  void handle(const event::AgentDown& event, Instant now, Effects& effects);
  void handle(const event::Accepted& event, Instant now, Effects& effects);
  void handle(const event::Refused& event, Instant now, Effects& effects);
  void handle(const event::Reported& event, Instant now, Effects& effects);
  void handle(const event::Ticked& event, Instant now, Effects& effects);

  StepRun* find(const TaskId& task);
  void advance(Instant now, Effects& effects);
  void order(StepRun& run, Instant now, Effects& effects);
  void resume(const std::vector<Resumed>& resumed, Instant now);
  void fail_step(StepRun& run, std::string why);
  void retry_or_fail(StepRun& run, const std::string& why, Instant now, Effects& effects);
  template <typename Do>
  void for_each(Do what);

  NewTaskId new_task_id_;
  std::vector<std::vector<StepRun>> tracks_;
  std::set<std::string> up_;
};

}  // namespace relab::controller
