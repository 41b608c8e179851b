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
/// There is no such agent yet: nothing is to be waited for.
struct AgentAbsent {
  std::string agent;
  std::string why;
};
/// There is such an agent from now on: it will be there soon.
struct AgentKnown {
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
/// A person wants this task ended; without one, the whole run.
struct CancelAsked {
  std::optional<TaskId> task;
};
struct Ticked {};

}  // namespace event

using Event = std::variant<event::AgentUp, event::AgentDown, event::AgentAbsent, event::AgentKnown,
                           event::Accepted, event::Refused, event::Reported, event::CancelAsked,
                           event::Ticked>;

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
/// Tell the agent that it is to end the task.
struct Cancel {
  std::string agent;
  TaskId task;
  bool operator==(const Cancel&) const = default;
};

}  // namespace effect

using Effect = std::variant<effect::Order, effect::Abandon, effect::RecordRefusal, effect::Reattach,
                            effect::Cancel>;

enum class StepState {
  waiting,    ///< for the steps before it, for its agent, or for what `Wait` says
  ordered,    ///< sent; the agent has not said that it has it
  accepted,   ///< in the agent's journal
  succeeded,  ///< its report says so
  failed,     ///< whatever else came of it
  blocked,    ///< a step before it failed
};

std::string_view name(StepState state);

/// What a step whose turn it is waits for, beyond what passes by itself.
enum class Wait {
  nothing,
  agent,     ///< it is away for longer than its limit: the track is parked
  evidence,  ///< that its task kind needs
  approval,  ///< of a person, of what it destroys
  person,    ///< who has to do what the step's instruction says
  nobody,    ///< nothing is ordered in this life of the engine
};

std::string_view name(Wait wait);

/// Whether a step may be ordered now.
struct Clearance {
  Wait wait = Wait::nothing;
  std::string why = {};
};

/// A step of a run.
struct StepRun {
  PlannedStep step;
  StepState state = StepState::waiting;
  std::optional<TaskId> task = {};
  std::uint32_t attempt = 0;
  /// When to give the task up, and when to send a refused order again or to make a new attempt.
  Instant gives_up = {};
  std::optional<Instant> again = {};
  /// When its clearance was asked for last.
  std::optional<Instant> asked = {};
  unsigned refusals = 0;
  Wait wait = Wait::nothing;
  /// A person wants it ended; when to say so again.
  std::optional<Instant> cancel = {};
  /// Why it failed, or what it waits for.
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
  /// Why it did not succeed.
  std::string why = {};
  /// Why nobody waits for a report any more: it was refused or given up. Empty if somebody does.
  std::string closed = {};
  /// It was given up because the agent had lost its journal.
  bool journal_lost = false;
  bool cancel_asked = false;
};

/// What makes a run.
struct RunPlan {
  PhasePlan phase;
  std::vector<Resumed> resumed = {};
  /// A person wants no more of it.
  bool cancelled = false;
  /// Order nothing: only what is out already is waited for.
  bool collect_only = false;
  /// How long an agent may be away where its track does not say.
  std::chrono::seconds patience = std::chrono::seconds(30);
};

class Engine {
 public:
  using NewTaskId = std::function<TaskId()>;
  /// Asked each time before a step that is guarded is ordered: a function of the ledger and the
  /// time.
  using Clear = std::function<Clearance(const PlannedStep&)>;

  Engine(RunPlan plan, NewTaskId new_task_id, Clear clear, Instant now);

  std::vector<Effect> on(const Event& event, Instant now);

  const std::vector<std::vector<StepRun>>& tracks() const { return tracks_; }
  std::size_t count(StepState state) const;
  /// Nothing is left to be done or waited for.
  bool done() const;
  /// What each step whose turn it is waits for: empty if one of them goes on by itself.
  std::set<Wait> stalled() const;
  /// Agents that are still needed.
  std::set<std::string> needed_agents() const;

 private:
  using Effects = std::vector<Effect>;
  void handle(const event::AgentUp& event, Instant now, Effects& effects);
  void handle(const event::AgentDown& event, Instant now, Effects& effects);
  void handle(const event::AgentAbsent& event, Instant now, Effects& effects);
  void handle(const event::AgentKnown& event, Instant now, Effects& effects);
  void handle(const event::Accepted& event, Instant now, Effects& effects);
  void handle(const event::Refused& event, Instant now, Effects& effects);
  void handle(const event::Reported& event, Instant now, Effects& effects);
  void handle(const event::CancelAsked& event, Instant now, Effects& effects);
  void handle(const event::Ticked& event, Instant now, Effects& effects);

  StepRun* find(const TaskId& task);
  void advance(Instant now, Effects& effects);
  void take_turn(StepRun& run, Instant now, Effects& effects);
  void order(StepRun& run, Instant now, Effects& effects);
  void resume(const std::vector<Resumed>& resumed, Instant now);
  void resume(StepRun& run, const Resumed& last, Instant now);
  void cancel(StepRun& run, Instant now, Effects& effects);
  void abandon_cancelled(StepRun& run, Effects& effects);
  void fail_step(StepRun& run, std::string why);
  void retry_or_fail(StepRun& run, const std::string& why, Instant now);
  void goes_away(const std::string& agent, Instant now);
  /// What a step whose agent is away waits for.
  Clearance parked(const StepRun& run, Instant now) const;
  /// A step of this run that brings this agent, which nobody knows yet; and the one of its track
  /// whose turn it is, if it has not ended. Null: none does.
  struct Bringing {
    const StepRun* step = nullptr;
    const StepRun* turn = nullptr;
  };
  Bringing bringing(const std::string& agent) const;
  template <typename Do>
  void for_each(Do what);

  NewTaskId new_task_id_;
  Clear clear_;
  std::chrono::seconds patience_;
  bool collect_only_;
  /// By the event that is being handled.
  bool guarded_ordered_ = false;
  std::vector<std::vector<StepRun>> tracks_;
  std::set<std::string> up_;
  std::map<std::string, Instant> away_since_;
  std::map<std::string, std::string> absent_;
};

}  // namespace relab::controller
