#pragma once

/// The agent's durable memory of tasks: written before a task starts and before a report is sent.

#include <filesystem>
#include <optional>
#include <vector>

#include "common/base/id.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/crypto/hash.h"
#include "common/crypto/keys.h"
#include "common/store/database.h"
#include "schema/wire.capnp.h"

namespace relab::agent {

enum class TaskState {
  accepted = 1,
  running = 2,
  finished = 3,
  acknowledged = 4,
  unconfirmed = 5,  ///< a change was made that is undone unless it is confirmed
};

/// One task as the journal holds it.
struct JournalRow {
  TaskId id;
  crypto::Digest task_digest{};
  crypto::Digest order_digest{};
  TaskState state = TaskState::accepted;
  /// The order's payload; empty once it is acknowledged.
  Bytes order = {};
  /// The signed report; empty before the task finished and after it was acknowledged. Of an
  /// unconfirmed change, what is to be sent once it is confirmed.
  Bytes report = {};
  /// How it was before the change: the Facts that lead back to it. Empty where none is made, or it
  /// is settled.
  Bytes before = {};
  /// In which boot of the machine the change was begun, and until when it waits to be confirmed, by
  /// the wall clock.
  std::string boot = {};
  Instant until = {};
  /// The resource that it destroys something on; empty: nothing.
  std::string destroys = {};
};

/// The newest report on tasks of one kind.
struct Newest {
  /// Of its payload.
  crypto::Digest digest{};
  /// A task that destroys something on the resource began, or ended, after the task that it is on
  /// had begun: what it shows may not be so any more.
  bool outdated = false;

  bool operator==(const Newest&) const = default;
};

/// The end of a task.
struct JournalEnd {
  TaskId id;
  /// The signed report.
  ByteView report;
  /// The task kind that it is the newest report on; empty: none.
  std::string arm = {};
};

/// What the agent needs of its journal. Where a call fails, nothing was changed.
class TaskJournal {
 public:
  TaskJournal() = default;
  TaskJournal(const TaskJournal&) = delete;
  TaskJournal& operator=(const TaskJournal&) = delete;
  virtual ~TaskJournal() = default;

  /// The one before was damaged, and put aside.
  virtual bool lost() const = 0;
  /// 16 random bytes that were made with this journal.
  virtual const Bytes& identity() const = 0;
  /// Every task whose report was not acknowledged, oldest first.
  virtual Result<std::vector<JournalRow>> held() = 0;
  virtual Result<std::optional<JournalRow>> find(const TaskId& id) = 0;

  /// Durable when it returns; Fault::conflict for a task that is known already.
  virtual Result<void> accept(const JournalRow& row) = 0;
  /// Durable when they return; Fault::conflict unless the task was accepted, or had no report yet.
  virtual Result<void> begin(const TaskId& id) = 0;
  virtual Result<void> finish(const JournalEnd& end) = 0;
  /// Keeps how it was before the first change of a running task.
  virtual Result<void> arm(const TaskId& id, ByteView before, const std::string& boot) = 0;
  /// The change of a running task was made, and waits to be confirmed.
  virtual Result<void> hold(const TaskId& id, ByteView report, Instant until) = 0;
  /// The change stays.
  virtual Result<void> keep(const JournalEnd& end) = 0;
  /// The change is about to be undone, and cannot be confirmed any more.
  virtual Result<void> retract(const TaskId& id) = 0;
  /// Drops order and report of the task but keeps its id, so that it never runs again. A loss of
  /// power may undo it: the report is then delivered once more.
  virtual Result<void> acknowledge(const TaskId& id) = 0;

  /// The newest report on a task of that kind, acknowledged ones too, as evidence about this
  /// resource; nothing if there is none.
  virtual Result<std::optional<Newest>> newest_report(std::string_view arm,
                                                      std::string_view resource) = 0;

  /// The newest countersigned checkpoint of this controller's ledger; empty if there is none. A
  /// copy beside the journal outlives one that is damaged.
  virtual Result<Bytes> checkpoint(const crypto::PublicKey& controller) = 0;
  virtual Result<void> keep_checkpoint(const crypto::PublicKey& controller, ByteView envelope) = 0;

  /// Free bytes under the journal.
  virtual Result<std::uint64_t> room() const = 0;
  /// Where it is, for people.
  virtual std::string place() const = 0;

 protected:
  TaskJournal(TaskJournal&&) = default;
  TaskJournal& operator=(TaskJournal&&) = default;
};

/// In SQLite, in the agent's state directory.
class Journal final : public TaskJournal {
 public:
  /// A file that is damaged is put aside under another name and a new one begun; `lost()` tells.
  static Result<Journal> open(const std::filesystem::path& state_dir);

  bool lost() const override { return lost_; }
  const Bytes& identity() const override { return identity_; }
  Result<std::vector<JournalRow>> held() override;
  Result<std::optional<JournalRow>> find(const TaskId& id) override;
  Result<void> accept(const JournalRow& row) override;
  Result<void> begin(const TaskId& id) override;
  Result<void> finish(const JournalEnd& end) override;
  Result<std::optional<Newest>> newest_report(std::string_view arm,
                                              std::string_view resource) override;
  Result<void> arm(const TaskId& id, ByteView before, const std::string& boot) override;
  Result<void> hold(const TaskId& id, ByteView report, Instant until) override;
  Result<void> keep(const JournalEnd& end) override;
  Result<void> retract(const TaskId& id) override;
  Result<void> acknowledge(const TaskId& id) override;
  Result<Bytes> checkpoint(const crypto::PublicKey& controller) override;
  Result<void> keep_checkpoint(const crypto::PublicKey& controller, ByteView envelope) override;
  /// Whichever ledger this controller shows next is the first.
  Result<void> forget_checkpoint(const crypto::PublicKey& controller);
  Result<std::uint64_t> room() const override;
  std::string place() const override { return folder_.string(); }

 private:
  Journal(store::Database database, std::filesystem::path folder, bool lost)
      : database_(std::move(database)), folder_(std::move(folder)), lost_(lost) {}
  Result<void> read_identity();
  Result<void> store_end(const JournalEnd& end, std::string_view states);
  Result<void> note_newest(const JournalEnd& end);
  /// The number of the next beginning or end of a task.
  Result<std::int64_t> next_moment();
  /// Of a task that destroys, outdates what was seen of its resource; others leave no mark.
  Result<void> note_deed(const TaskId& id, std::int64_t moment);
  Result<void> note_beginning(const TaskId& id);
  Result<void> restore(const JournalRow& row);
  Result<void> settle_ways_back();
  /// Even where the disk is full: the end of a task must fit.
  template <typename Write>
  Result<void> write_end(Write write);
  Result<void> update(std::string_view sql, const TaskId& id);

  store::Database database_;
  std::filesystem::path folder_;
  bool lost_;
  Bytes identity_;
};

}  // namespace relab::agent
