#pragma once

/// The agent's decisions about tasks, as a pure state machine: events in, effects out, time with
/// the event.

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agent/journal/journal.h"
#include "common/base/id.h"
#include "common/base/time.h"
#include "schema/wire.capnp.h"

namespace relab::agent {

namespace event {

/// A row that the journal held when the agent started.
struct Recovered {
  TaskId id;
  TaskState state;
  /// The task's own, for one that is still to run.
  std::chrono::seconds deadline;
  /// The way back from its change is stored: it may have made it.
  bool armed = false;
  /// As in `Admitted`; and of a change that is unconfirmed, how much of it is left.
  std::chrono::seconds confirm_within{0};
  Millis left{0};
  std::string resource = {};
};
/// An order passed the guard; `known` is what the journal has under its id.
struct Admitted {
  TaskId id;
  crypto::Digest task_digest;
  std::chrono::seconds deadline;
  std::optional<JournalRow> known;
  /// Of a kind whose change is undone unless it is confirmed: the time for that.
  std::chrono::seconds confirm_within{0};
  /// What it changes, on which nothing else may work meanwhile; empty: nothing that anybody shares.
  std::string resource = {};
};
/// An effect that had to be durable could not be written.
struct AcceptFailed {
  TaskId id;
  std::string why;
};
struct FinishFailed {
  TaskId id;
};
/// The journal keeps the report, though it was acknowledged.
struct ReleaseFailed {
  TaskId id;
};
/// The worker came to an end; its report is ready to be stored.
struct Ended {
  TaskId id;
  /// It made a change that is to be undone unless it is confirmed; of a review: the change is still
  /// as it was made.
  bool unconfirmed = false;
  /// What it changed could not be undone.
  bool stuck = false;
  /// Why, where it did not succeed.
  std::string why = {};
};
/// That a change waits to be confirmed could not be stored, or that it was.
struct HoldFailed {
  TaskId id;
};
struct KeepFailed {
  TaskId id;
};
/// The controller reached this agent over a connection that was made after the change.
struct Confirmed {
  TaskId id;
};
/// The controller has this report.
struct Acknowledged {
  TaskId id;
};
struct CancelAsked {
  TaskId id;
};
/// A controller came on and wants whatever waits for it.
struct Attached {};
struct Ticked {};
struct DrainAsked {};

}  // namespace event

using Event =
    std::variant<event::Recovered, event::Admitted, event::AcceptFailed, event::FinishFailed,
                 event::ReleaseFailed, event::Ended, event::HoldFailed, event::KeepFailed,
                 event::Confirmed, event::Acknowledged, event::CancelAsked, event::Attached,
                 event::Ticked, event::DrainAsked>;

enum class StopReason { cancelled, out_of_time, draining };

namespace effect {

/// Write the order durably; with `begin`, as one that starts now.
struct Accept {
  TaskId id;
  bool begin;
  bool operator==(const Accept&) const = default;
};
/// Write durably that an accepted task starts.
struct Begin {
  TaskId id;
  bool operator==(const Begin&) const = default;
};
/// Run the task in a worker.
struct Start {
  TaskId id;
  bool operator==(const Start&) const = default;
};
/// Make the worker come to an end.
struct Stop {
  TaskId id;
  StopReason reason;
  bool operator==(const Stop&) const = default;
};
/// Sign and store durably a report with this outcome, for a task that has no worker.
struct Conclude {
  TaskId id;
  schema::Outcome outcome;
  std::string what;
  bool operator==(const Conclude&) const = default;
};
/// Store durably the report that the worker's end brought.
struct Finish {
  TaskId id;
  bool operator==(const Finish&) const = default;
};
/// Store durably that the change was made and waits to be confirmed, with the report that is to be
/// sent once it is.
struct Hold {
  TaskId id;
  std::chrono::seconds left;
  bool operator==(const Hold&) const = default;
};
/// Tell whoever is attached that the change waits to be confirmed.
struct Announce {
  TaskId id;
  Millis left;
  bool operator==(const Announce&) const = default;
};
/// See in a worker whether the change is still as it was made.
struct Review {
  TaskId id;
  bool operator==(const Review&) const = default;
};
/// Undo the change in a worker; `why` goes into the report.
struct Undo {
  TaskId id;
  std::string why;
  /// What the task has come to once that is done.
  schema::Outcome outcome = schema::Outcome::FAILED;
  bool operator==(const Undo&) const = default;
};
/// Store durably that the change stays, with the report on what the review saw.
struct Keep {
  TaskId id;
  bool operator==(const Keep&) const = default;
};
/// Tell the controller what became of its order.
struct Answer {
  TaskId id;
  schema::Refusal refusal;
  schema::State state;
  std::string what = {};
  bool operator==(const Answer&) const = default;
};
/// Send the stored report to whoever is attached.
struct Deliver {
  TaskId id;
  bool operator==(const Deliver&) const = default;
};
/// The report need not be kept.
struct Release {
  TaskId id;
  bool operator==(const Release&) const = default;
};
/// Everything has ended: leave.
struct Exit {
  bool operator==(const Exit&) const = default;
};

}  // namespace effect

using Effect =
    std::variant<effect::Accept, effect::Begin, effect::Start, effect::Stop, effect::Conclude,
                 effect::Finish, effect::Hold, effect::Announce, effect::Review, effect::Undo,
                 effect::Keep, effect::Answer, effect::Deliver, effect::Release, effect::Exit>;

struct CoreLimits {
  /// Tasks that run at a time.
  std::size_t running_max = 8;
  /// Tasks held in all, reports waiting for their acknowledgement included.
  std::size_t held_max = 256;
  /// How long tasks may go on once the agent was told to leave.
  std::chrono::seconds drain_time = std::chrono::seconds(20);
};

/// As the wire has it.
schema::State wire_state(TaskState state);

/// Effects are returned in the order in which they must happen. `now` must not run backwards; what
/// it counts from is up to the caller.
class Core {
 public:
  explicit Core(CoreLimits limits) : limits_(limits) {}

  std::vector<Effect> on(const Event& event, Instant now);

  struct Held {
    TaskState state;
    std::chrono::seconds deadline;
    std::chrono::seconds confirm_within{0};
    std::string resource = {};
    /// When a running task must end, and when an unconfirmed change is undone.
    Instant ends = {};
    /// When it is said next that the change waits to be confirmed.
    Instant announces = {};
    /// What runs is the way back.
    bool undoing = false;
    /// It failed so often, for this reason, and is tried again then.
    unsigned undo_failures = 0;
    std::string undo_why = {};
    std::optional<Instant> undo_again = {};
    /// A worker looks whether the unconfirmed change is still as it was made.
    bool reviewing = false;
    bool stopping = false;
    /// Somebody wants its change undone.
    bool cancelled = false;
    /// The end is not stored yet, because the store refused it.
    bool unstored = false;
    /// The row of an accepted task that was not begun: it waits for a free worker.
    bool operator==(const Held&) const = default;
  };
  const std::map<TaskId, Held>& held() const { return held_; }
  bool draining() const { return drain_until_.has_value(); }

 private:
  using Effects = std::vector<Effect>;
  void handle(const event::Recovered& event, Instant now, Effects& effects);
  void handle(const event::Admitted& event, Instant now, Effects& effects);
  void handle(const event::AcceptFailed& event, Instant now, Effects& effects);
  void handle(const event::FinishFailed& event, Instant now, Effects& effects);
  void handle(const event::ReleaseFailed& event, Instant now, Effects& effects);
  void handle(const event::Ended& event, Instant now, Effects& effects);
  void handle(const event::HoldFailed& event, Instant now, Effects& effects);
  void handle(const event::KeepFailed& event, Instant now, Effects& effects);
  void handle(const event::Confirmed& event, Instant now, Effects& effects);
  void handle(const event::Acknowledged& event, Instant now, Effects& effects);
  void handle(const event::CancelAsked& event, Instant now, Effects& effects);
  void handle(const event::Attached& event, Instant now, Effects& effects);
  void handle(const event::Ticked& event, Instant now, Effects& effects);
  void handle(const event::DrainAsked& event, Instant now, Effects& effects);

  void start_waiting(Instant now, Effects& effects);
  /// Another task works on it, or made a change of it that is not settled.
  bool is_taken(const std::string& resource) const;
  void settle_review(const event::Ended& event, Held& task, Effects& effects);
  void tend_running(const TaskId& id, Held& task, Instant now, Effects& effects);
  static void undo(const TaskId& id, Held& task, std::string why, Effects& effects);
  void hold(const TaskId& id, Held& task, Instant now, Effects& effects);
  void tend_unconfirmed(const TaskId& id, Held& task, Instant now, Effects& effects);
  /// The unconfirmed change is to go.
  void give_up(const TaskId& id, Held& task, StopReason reason, std::string why, Effects& effects);
  static void announce(const TaskId& id, Held& task, Instant now, Effects& effects);
  void answer_known(const event::Admitted& event, Effects& effects) const;
  void stop(const TaskId& id, Held& task, StopReason reason, Effects& effects) const;
  std::size_t running() const;
  /// A worker is at it.
  bool at_work() const;

  CoreLimits limits_;
  std::map<TaskId, Held> held_;
  std::optional<Instant> drain_until_;
  bool exited_ = false;
};

}  // namespace relab::agent
