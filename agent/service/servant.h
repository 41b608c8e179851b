#pragma once

/// What the agent does with what it hears, without sockets, threads and clocks: frames of pinned
/// controllers and notices of its workers come in, frames and work go out, the journal first.

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "agent/core/core.h"
#include "agent/guard/guard.h"
#include "agent/journal/journal.h"
#include "agent/link/server.h"
#include "agent/trust/trust.h"
#include "agent/worker/workers.h"
#include "common/log/log.h"

namespace relab::agent {

/// Why frames were not taken, since the start.
struct Turned {
  std::array<std::uint64_t, 4> unopened{};
  std::uint64_t revoked = 0;
  std::uint64_t unexpected = 0;
  std::map<schema::Refusal, std::uint64_t> refused;
};

/// Who an agent is.
struct Self {
  std::string name;
  std::string machine_id;
  std::string boot_id;
  crypto::Keys keys;
  Trust trust;
  RoleLimits role;
};

class Servant {
 public:
  Servant(Self self, CoreLimits limits, TaskJournal& journal, Outlet& outlet, Labour& labour,
          std::shared_ptr<spdlog::logger> log);
  Servant(const Servant&) = delete;
  Servant& operator=(const Servant&) = delete;
  ~Servant() = default;

  /// Takes up what the journal holds; to be called once, first.
  Result<void> recover(const Now& now);
  void take_frame(const Incoming& incoming, const Now& now);
  void take_notice(Notice notice, const Now& now);
  void tick(const Now& now);
  /// To be told to leave: running tasks have their time to end.
  void drain(const Now& now);
  /// Forgets controllers that are not pinned any more.
  void replace_trust(Trust trust);
  /// What it permits from now on, also of tasks that wait.
  void replace_role(RoleLimits role) { self_.role = std::move(role); }

  const Trust& trust() const { return self_.trust; }
  const RoleLimits& role() const { return self_.role; }
  const Core& core() const { return core_; }
  /// Something runs, or waits to be stored.
  bool busy() const;
  /// A controller listens that has not acknowledged everything yet.
  bool awaits_acknowledgement() const;
  /// Everything has ended after a drain.
  bool leaving() const { return leaving_; }
  const Turned& turned() const { return turned_; }

 private:
  void remember(const Incoming& incoming);
  void dispatch(const Party& peer, const Opened& opened, const std::string& route);
  void take_attach(const Party& peer, const schema::Attach::Reader& attach,
                   const std::string& route);
  void take_order(const Opened& opened);
  void take_ack(const schema::Ack::Reader& ack);
  void take_cancel(const schema::Cancel::Reader& cancel);
  void take_confirm(const schema::Confirm::Reader& confirm, const std::string& route);
  void take_piece(const schema::Piece::Reader& piece);
  void take_end(TaskEnd end);
  void take_arming(const TaskArming& arming);
  void take_want(const TaskWant& wanted);
  void take_progress(const TaskProgress& progress);
  void tell(const TaskId& id, const std::string& what);

  void feed(const Event& event);
  /// False if the effects after this one must not happen.
  bool perform(const effect::Accept& effect);
  bool perform(const effect::Begin& effect);
  bool perform(const effect::Start& effect);
  bool perform(const effect::Stop& effect);
  bool perform(const effect::Conclude& effect);
  bool perform(const effect::Finish& effect);
  bool perform(const effect::Hold& effect);
  bool perform(const effect::Announce& effect);
  bool perform(const effect::Review& effect);
  bool perform(const effect::Undo& effect);
  bool perform(const effect::Keep& effect);
  bool perform(const effect::Answer& effect);
  bool perform(const effect::Deliver& effect);
  bool perform(const effect::Release& effect);
  bool perform(const effect::Exit& effect);

  Message<schema::Hello> hello(const Party& peer, const schema::Attach::Reader& attach);
  /// Countersigns and keeps the head of the controller's ledger if it is newer than the one before.
  void take_checkpoint(const Party& peer, const Opened& opened);
  /// A checkpoint of a controller's ledger.
  struct Shown {
    std::uint64_t entries = 0;
    Message<schema::Envelope> envelope;
  };
  /// The newest one that this controller has shown; nothing yet, or what is kept does not verify.
  std::optional<Shown> head_shown(const Party& peer) const;
  Result<Message<schema::Order>> stored_order(const TaskId& id);
  /// The checkpoint that covers most, of all controllers, as a line of DSSE JSON; empty: none.
  std::string newest_head() const;
  /// With its secrets opened, which they are only now, however long the task had to wait.
  Result<Job> make_job(Message<schema::Order> order) const;
  Result<Job> stored_job(const TaskId& id);
  /// The task kind on which a report on this task shows something; empty for a change that is only
  /// checked.
  std::string shown_by(const TaskId& id);
  /// What the review saw, as the end of the task that made the change.
  Result<TaskEnd> reviewed(const TaskId& id);
  Result<Undoing> way_back(const effect::Undo& effect);
  Result<Bytes> signed_report(const TaskEnd& end);
  /// How long a change of an earlier life still waits to be confirmed. What a restart of the
  /// machine left of it, nobody knows: none.
  Millis left_to_confirm(const JournalRow& row, std::chrono::seconds confirm_within) const;
  /// What orders are checked against now.
  Terms terms() const;
  /// What the task needed when it was admitted may not hold any more: it waited behind others, or
  /// while the agent was down. Its end, if so.
  std::optional<TaskEnd> refuse_late(const TaskId& id);
  TaskEnd failed_end(const TaskId& id, Error failure) const;
  /// Signed, to every controller that is heard.
  template <typename T>
  void send(const Message<T>& message) {
    send_frame(sign(self_.keys, message).bytes());
  }
  void send_frame(ByteView frame);

  Self self_;
  TaskJournal& journal_;
  Outlet& outlet_;
  Labour& labour_;
  std::shared_ptr<spdlog::logger> log_;
  Nonce nonce_{};
  Core core_;
  /// Of the call that is being served.
  Now now_{};
  /// A connection over which a pinned controller was heard.
  struct Heard {
    std::string peer;  ///< its CURVE key
    std::string route;
  };
  /// The newest last. One controller may have several: a run, and somebody who looks at it.
  std::deque<Heard> sessions_;
  /// The order being admitted while the core decides on it.
  std::optional<Admission> admission_;
  /// Ends whose reports are not in the journal yet.
  std::map<TaskId, TaskEnd> ends_;
  /// Those of which the log knows already.
  std::set<TaskId> complained_;
  /// The last progress of a task that was sent.
  struct Told {
    Instant when;
    std::string for_person;
  };
  std::map<TaskId, Told> told_;
  /// For each change that waits to be confirmed, the connections that were there before it.
  std::map<TaskId, std::set<std::string>> old_routes_;
  Turned turned_;
  bool leaving_ = false;
};

}  // namespace relab::agent
