#pragma once

/// What replaying the ledger gives: agents, runs, tasks with their reports. Nothing here is kept
/// anywhere else.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/id.h"
#include "common/crypto/identity.h"
#include "common/wire/envelope.h"
#include "controller/ledger/ledger.h"

namespace relab::controller {

struct AgentRecord {
  std::string name;
  std::string endpoint;
  Party party;
  Instant since;
  /// The keys of the same host before it was reinstalled by the plan: what they signed still shows
  /// what was done.
  std::vector<crypto::PublicKey> before = {};

  bool answers_for(const crypto::PublicKey& key) const;
};

/// A report that was verified when it came, and again when the ledger was read.
struct Evidence {
  Message<schema::Report> report;
  std::string agent;
  crypto::PublicKey signer;
  crypto::Digest digest;
  /// By the controller's clock.
  Instant received;
  /// The ledger's entry.
  std::uint64_t number;
};

/// Since when secrets of the lab have their values, by their names.
using SecretTimes = std::map<std::string, Instant>;

struct SentOrder {
  Instant at;
  /// Of those that it brought.
  SecretTimes secrets = {};
};

struct TaskRecord {
  TaskId id;
  RunId run;
  std::string phase;
  /// "0a/zfs/zfs".
  std::string step;
  std::string agent;
  std::string arm;
  std::uint32_t attempt = 0;
  /// It changes nothing.
  bool check = false;
  /// The resource on which it destroys something; empty: nothing.
  std::string destroys = {};
  /// The payload of the last order.
  Message<schema::Order> order;
  /// The ledger's entry with its first order.
  std::uint64_t first_ordered = 0;
  /// Every order that went out under this id.
  std::map<crypto::Digest, SentOrder> orders = {};
  /// What came with the order that the report answers.
  SecretTimes secrets = {};
  std::optional<Evidence> evidence = {};
  std::string refusal = {};
  std::string abandoned = {};
  schema::Abandoned::Reason abandoned_for = schema::Abandoned::Reason::UNSET;
  /// The order that the report answers; without one, the last.
  Instant ordered = {};
  /// The number of the last ledger entry that told of its end, by whatever; 0: none did.
  std::uint64_t closed = 0;
  /// A person wants it ended.
  bool cancel_asked = false;
  /// The change that it made was confirmed.
  bool confirmed = false;

  bool open() const { return !evidence && refusal.empty() && abandoned.empty(); }
};

struct RunRecord {
  RunId id;
  std::string phase;
  Instant started;
  Bytes lab;
  crypto::Digest lab_digest{};
  std::optional<Instant> ended = {};
  /// In check mode: nothing is changed.
  bool check = false;
  /// The one track that was asked for; empty: all of the phase.
  std::string track = {};
  /// A person wants no more of it.
  bool cancelled = false;
};

/// What a person said, signed by the controller.
template <typename T>
struct Statement {
  Message<T> message;
  /// As it was signed.
  Bytes envelope;
};

/// The name of the controller of every rehearsal; no other one has it.
inline constexpr std::string_view rehearsing_controller = "rehearsal";

/// Which tasks of a kind are meant, by their parameters; empty: all.
using About = std::function<bool(schema::Task::Reader task)>;

class State {
 public:
  /// Fault::damaged names the entry that cannot be: a report without its order, a signature that
  /// does not verify.
  static Result<State> replay(const Ledger& ledger);

  /// Takes one more entry; the state is unchanged after a failure.
  Result<void> apply(const LedgerEntry& stored);

  const std::optional<Party>& controller() const { return controller_; }
  /// The times of its first entry, and of its newest.
  Instant first_change() const { return first_change_; }
  Instant last_change() const { return last_change_; }
  /// Nothing of it was done: a rehearsal made it.
  bool is_rehearsed() const { return controller_ && controller_->name == rehearsing_controller; }
  const std::string& lab() const { return lab_; }
  const std::map<std::string, AgentRecord>& agents() const { return agents_; }
  /// Every identity that was ever enrolled, with the name it had then.
  const std::vector<std::pair<std::string, Party>>& known_agents() const { return known_agents_; }
  /// Whether there was another agent of this name before the one that it has now, if any.
  bool had_another(const std::string& name) const { return former_.contains(name); }
  const std::map<TaskId, TaskRecord>& tasks() const { return tasks_; }
  const std::vector<RunRecord>& runs() const { return runs_; }

  /// The agent whose signing key this is; removed ones too, since their old reports stay
  /// verifiable.
  const Party* agent_by_key(const crypto::PublicKey& key) const;
  /// The newest signed checkpoint; empty before the first.
  const Bytes& checkpoint() const { return checkpoint_; }
  /// Whether this is the ledger that somebody was shown, or its continuation. Fault::damaged if the
  /// checkpoint is by its controller and does not fit: the end was cut off, or the ledger replaced.
  Result<void> continues(ByteView checkpoint) const;
  /// In the order in which they were given, void ones too.
  const std::vector<Statement<schema::Approval>>& approvals() const { return approvals_; }
  const std::vector<Statement<schema::Waiver>>& waivers() const { return waivers_; }
  /// Null if there is no such run.
  const RunRecord* run(const RunId& id) const;
  /// The runs of the phase that have not ended, in check mode too.
  std::vector<const RunRecord*> open_runs(const std::string& phase) const;
  /// Of every phase, those that lab.toml has no more included.
  std::vector<const RunRecord*> open_runs() const;
  /// The last run of the phase that was to change something, and the same if it has not ended.
  const RunRecord* last_run(const std::string& phase) const;
  const RunRecord* open_run(const std::string& phase) const;
  std::vector<const TaskRecord*> tasks_of(const RunId& run) const;
  /// The agent's task of that kind of whose end was heard last: a later failure speaks against an
  /// earlier success. Checks aside, but for sections of the audit, which look in either mode. Only
  /// those that `about` is true of. Null if there is none.
  const TaskRecord* last_ended(const std::string& agent, const std::string& arm,
                               const About& about = {}) const;

  /// A task that destroys something on the resource, and may have been at it after this entry of
  /// the ledger. Of those that are open the one that was ordered first has the way: none that was
  /// ordered after the open task of `step`, nor that itself. Null if there is none.
  const TaskRecord* destroyer_after(std::uint64_t entry, const std::string& agent,
                                    const std::string& resource, const std::string& step) const;

  /// What an agent says must be of a task that was ordered from it, bound to one of its orders.
  Result<const TaskRecord*> task_of_report(const Opened& opened,
                                           const schema::Report::Reader& report) const;
  Result<const TaskRecord*> task_of_receipt(const Opened& opened,
                                            const schema::Receipt::Reader& receipt) const;

 private:
  /// What an agent's answer says that it answers.
  struct Answer {
    std::string_view what;
    ByteView task;
    ByteView order_digest;
  };
  Result<const TaskRecord*> task_of(const Opened& opened, const Answer& answer) const;
  Result<void> take(const schema::Created::Reader& created);
  Result<void> take(const schema::Enrolled::Reader& enrolled, Instant time);
  /// Fault::damaged unless the report that is said to have brought the identity did.
  Result<void> check_origin(schema::Enrolled::Reader enrolled) const;
  void forget(const std::string& agent);
  Result<void> take(const schema::CancelAsked::Reader& asked);
  Result<void> take_order(ByteView envelope, Instant time, std::uint64_t number);
  Result<void> take_report(ByteView envelope, Instant time, std::uint64_t number);
  Result<void> take_refusal(ByteView envelope, std::uint64_t number);
  Result<void> take_checkpoint(ByteView envelope, const LedgerEntry& entry);
  Result<void> mark(ByteView task, bool TaskRecord::*flag);
  template <typename T>
  Result<void> take_signed(ByteView envelope, std::vector<Statement<T>>& statements);

  std::optional<Party> controller_;
  Instant first_change_{};
  Instant last_change_{};
  std::string lab_;
  std::map<std::string, AgentRecord> agents_;
  std::vector<std::pair<std::string, Party>> known_agents_;
  /// The agent that each name had last before the one that it has now, if any.
  std::map<std::string, AgentRecord> former_;
  std::map<TaskId, TaskRecord> tasks_;
  std::vector<RunRecord> runs_;
  std::vector<Statement<schema::Approval>> approvals_;
  std::vector<Statement<schema::Waiver>> waivers_;
  Bytes checkpoint_;
  /// The payload digests of all of them, by the number of entries that they cover.
  std::map<std::uint64_t, crypto::Digest> checkpoints_;
  /// Hashes after every entry so far, for checkpoints.
  std::vector<crypto::Digest> hashes_;
};

/// The phase of a step's path.
std::string phase_of(std::string_view step);

}  // namespace relab::controller
