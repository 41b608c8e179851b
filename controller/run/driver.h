#pragma once

/// Carries out what the engine decides: signs, writes the ledger, sends. It waits for nothing and
/// reads no clock.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/engine/engine.h"
#include "controller/gates/clearance.h"
#include "controller/run/book.h"
#include "controller/run/greetings.h"
#include "controller/run/parcels.h"
#include "controller/run/session.h"
#include "controller/secrets/uses.h"

namespace relab::controller {

/// What a run tells while it goes on; lines for people.
class Narrator {
 public:
  Narrator() = default;
  Narrator(const Narrator&) = delete;
  Narrator& operator=(const Narrator&) = delete;
  virtual ~Narrator() = default;

  virtual void agent_up(const std::string& agent, const Greeting& greeting) = 0;
  virtual void agent_down(const std::string& agent, const Error& why) = 0;
  virtual void step_changed(const StepRun& run) = 0;
  /// `at` is on the monotonic clock.
  virtual void progress(const StepRun& run, schema::Progress::Reader progress, Millis at) = 0;
  /// About once in ten seconds while something runs.
  virtual void still_waiting(const Engine& engine, Millis since) = 0;
  virtual void warn(const std::string& what) = 0;
  /// An agent of a guest, by way of its host.
  virtual void enrolled(const std::string& agent, const Party& party) = 0;
};

enum class RunEnd {
  done,
  stalled,  ///< nothing goes on by itself: `Engine::stalled` tells what is waited for
};

struct DriverConfig {
  std::string lab;
  /// How long an agent may be away before its tracks are parked, where they do not say; and how
  /// long to stay when nothing goes on but what a person has to do.
  std::chrono::seconds patience;
  /// Order nothing new.
  bool collect_only = false;
  /// Of the secrets that tasks use; null: there are none.
  SecretSource secrets = {};
  /// What agents of hosts may bring into guests.
  std::vector<OfferedParcel> parcels = {};
  /// Where to keep what agents say of themselves; nothing: nowhere.
  std::optional<Greetings> greetings = {};
};

class Driver {
 public:
  Driver(DriverConfig config, Book& book, const crypto::Keys& keys, Exchange& exchange,
         Narrator& narrator);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;
  ~Driver();

  /// Carries on with the run, from wherever the ledger says that it is. To be called once, first.
  Result<void> begin(const RunId& run, PhasePlan plan, const Now& now);
  /// Takes what has come and does what is due; to be called often. Tells how the run ended, once it
  /// has. After an error nothing is lost: another driver over the same ledger goes on.
  Result<std::optional<RunEnd>> step(const Now& now);

  /// A person wants the task of this run ended; without one, all of it. It is in the ledger before
  /// an agent is told.
  Result<void> cancel(const std::optional<TaskId>& task, const Now& now);

  /// Shows the newest checkpoint to every agent that was heard, after the end of the run.
  void show_ledger(const Now& now);
  /// Whether each of them has answered, or is gone; to be called often after `show_ledger`.
  bool ledger_was_shown(const Now& now);

  const Engine& engine() const { return *engine_; }
  /// The sessions with agents that are needed and away.
  std::vector<const Session*> missing() const;

 private:
  Result<void> connect();
  Result<void> tend_all();
  Result<void> take_frames(Session& session);
  Result<void> take_frame(Session& session, const Opened& opened);
  Result<void> take_report(Session& session, const Opened& opened);
  Result<void> take_receipt(Session& session, const Opened& opened);
  /// Fault::damaged if the agent was shown more of the ledger than there is, or another one.
  /// For people: that it does not work stops nothing.
  void keep_greeting(const std::string& agent, const Greeting& greeting) const;
  Result<void> check_ledger(const Session& session) const;
  /// Whether a task is out that was ordered when the agent had another journal: an emptied, removed
  /// or replaced one, which cannot tell whether the task ran.
  bool has_another_journal(const Session& session) const;
  void show_ledger(Session& session);
  /// What was given up, and the agent still has, is not to be begun behind the ledger's back.
  void cancel_unwanted(Session& session);
  static void send_cancel(Session& session, const TaskId& id);
  void take_progress(const Opened& opened);
  /// An agent's change waits to be confirmed: over another connection than that which told of it
  /// first, and so one that was made after the change. The ledger has it before the agent.
  Result<void> take_unconfirmed(Session& session, const TaskId& task);
  Result<void> confirm(Session& session, const TaskRecord& task);
  /// What the order of a step that installs an agent brings along.
  void bring_delivery(const PlannedStep& step, schema::Order::Builder order) const;
  void take_want(Session& session, schema::Want::Reader want);
  /// Enrols the agent whose identity the task's report brought, or takes its new address. Tells why
  /// it cannot be taken; empty: it is, or the task brings none.
  Result<std::string> take_planted(const TaskRecord& task);
  /// The same for what came before the last controller of this run ended.
  Result<void> take_planted_before();
  Result<void> feed(const Event& event);
  /// Whether a step that is guarded may be ordered now, and what its order brings along. A check
  /// changes nothing, and needs nothing.
  Cleared clear_step(const PlannedStep& step) const;
  Result<void> perform(const effect::Order& effect);
  Result<void> perform(const effect::Abandon& effect);
  Result<void> perform(const effect::RecordRefusal& effect);
  Result<void> perform(const effect::Reattach& effect);
  Result<void> perform(const effect::Cancel& effect);
  void tell_changes();
  bool out_of_patience();
  const StepRun* find_step(const std::string& path) const;
  const StepRun* find_step(const TaskId& task) const;

  DriverConfig config_;
  Book& book_;
  const crypto::Keys& keys_;
  Exchange& exchange_;
  Narrator& narrator_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;
  /// Agents that were shown no other ledger than this one, as far as it went then. Nobody else is
  /// shown it: a cut off one must not take the place of the whole.
  std::set<std::string> compared_;
  std::unique_ptr<Engine> engine_;
  RunId run_;
  schema::Mode mode_ = schema::Mode::UNSET;
  /// By which the run was begun, and the digest of all of its phase; where a step is guarded.
  std::optional<Message<schema::Lab>> lab_;
  crypto::Digest plan_digest_{};
  /// Of the call that is being served.
  Now now_{};
  Instant started_;
  Instant told_;
  std::map<std::string, std::pair<StepState, Wait>> last_states_;
  /// Since when nothing goes on but what a person has to do.
  std::optional<Instant> idle_since_;
  /// Over which connection each change that waits was told first; when an agent was dialled anew.
  std::map<TaskId, unsigned> told_over_;
  std::map<std::string, Instant> redialled_;
  /// The receipt that refuses, while the engine decides on it.
  Bytes refusing_;
};

}  // namespace relab::controller
