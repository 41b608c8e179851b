#pragma once

/// Runs tasks in threads of their own; what happens there comes back through a queue with a file
/// descriptor.

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "agent/core/core.h"
#include "agent/host/delivery.h"
#include "agent/host/host.h"
#include "agent/host/listed_commands.h"
#include "agent/host/secrets.h"
#include "common/base/handle.h"
#include "common/wire/message.h"
#include "schema/task.capnp.h"
#include "schema/wire.capnp.h"

namespace relab::agent {

/// What a task came to.
struct TaskEnd {
  TaskId id;
  Instant started;
  Instant ended;
  schema::Outcome outcome = schema::Outcome::SUCCEEDED;
  Error failure = {.fault = Fault::damaged, .what = {}};
  std::optional<Message<schema::Facts>> facts = {};
  /// What was changed, in words; in check mode, what would be.
  /// Behind "! ": what was not, and a person should know.
  std::vector<std::string> changes = {};
  std::vector<std::string> log = {};
  /// A change was made that is to be undone unless it is confirmed.
  bool unconfirmed = false;
  /// What it changed could not be undone.
  bool stuck = false;
};

/// A task is about to make a change that may have to be undone. It waits for `Labour::armed`.
struct TaskArming {
  TaskId id;
  /// The Facts that lead back to how it is now.
  Bytes before;
};

/// How far a task is.
struct TaskProgress {
  TaskId id;
  Advance advance;
  /// What a person has to do now; empty: nothing.
  std::string for_person = {};
};

/// A task wants a part of a file that its order promises. It waits for `Labour::piece`.
struct TaskWant {
  TaskId id;
  Want want;
};

using Notice = std::variant<TaskEnd, TaskProgress, TaskArming, TaskWant>;

/// A task that is to be carried out.
struct Job {
  Message<schema::Order> order;
  Secrets secrets;
  /// To sign what it leaves behind; borrowed from whoever gives the job, null: it cannot sign.
  const crypto::Keys* keys = nullptr;
  /// The newest checkpoint of the controller's ledger, as a line of DSSE JSON; empty: none.
  std::string ledger_head = {};
  /// Those that the roles of the agent list.
  ListedCommands commands = {};
  /// To be handed on to a guest.
  std::optional<Delivery> delivery = {};
};

/// A change that is to be undone.
struct Undoing {
  Message<schema::Order> order;
  Message<schema::Facts> before;
  std::string why;
  /// What the task has come to then.
  schema::Outcome outcome = schema::Outcome::FAILED;
};

/// Who carries out tasks.
class Labour {
 public:
  Labour() = default;
  Labour(const Labour&) = delete;
  Labour& operator=(const Labour&) = delete;
  virtual ~Labour() = default;

  /// Its end comes as a notice; its secrets are gone by then.
  virtual void start(const TaskId& id, Job job) = 0;
  /// The task's running program is ended; its end comes as a notice.
  virtual void stop(const TaskId& id, StopReason reason) = 0;
  /// The answer to `TaskArming`: whether the way back is stored. If not, nothing is changed.
  virtual void armed(const TaskId& id, Result<void> stored) = 0;
  /// The answer to `TaskWant`.
  virtual void piece(const TaskId& id, Piece piece) = 0;
  /// Looks whether the change that the task made is still as it should be; its end comes as a
  /// notice: unconfirmed, with what was seen, if so.
  virtual void review(const TaskId& id, Message<schema::Order> order) = 0;
  /// Brings the machine back to how it was before the task; its end comes as a notice: with `why`
  /// and the outcome that was given, if that worked, and stuck if not.
  virtual void undo(const TaskId& id, Undoing undoing) = 0;
};

class Workers final : public Labour {
 public:
  /// `program_path` is the PATH of whatever tasks run; files that the controller sends are kept in
  /// `parcels`.
  Workers(std::string program_path, std::filesystem::path parcels);
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  /// Asks every task to stop and waits for it.
  ~Workers() override;

  void start(const TaskId& id, Job job) override;
  void stop(const TaskId& id, StopReason reason) override;
  void armed(const TaskId& id, Result<void> stored) override;
  void piece(const TaskId& id, Piece piece) override;
  void review(const TaskId& id, Message<schema::Order> order) override;
  void undo(const TaskId& id, Undoing undoing) override;

  /// Readable while there are notices.
  int notices_fd() const { return wake_.get(); }
  std::vector<Notice> take_notices();

 private:
  struct Worker {
    std::optional<StopReason> stopped;
    /// The answer to what it asked before its first change.
    std::optional<Result<void>> armed;
    /// The last part of a file that came.
    std::optional<Piece> piece;
    std::jthread thread;
  };
  void work(const std::stop_token& stop, const TaskId& id, Job& job);
  void look_again(const std::stop_token& stop, const TaskId& id,
                  const Message<schema::Order>& order);
  void work_back(const TaskId& id, const Undoing& undoing);
  /// Waits until the way back is stored. Fault::cancelled if the task was stopped meanwhile.
  Result<void> arm(const std::stop_token& stop, const TaskId& id,
                   const Message<schema::Facts>& before);
  /// Asks for a part of a file, and waits for it a moment.
  std::optional<Piece> ask(const std::stop_token& stop, const TaskId& id, const Want& want);
  void notify(Notice notice);
  std::optional<StopReason> stop_reason(const TaskId& id);

  std::string program_path_;
  std::filesystem::path parcels_;
  Fd wake_;
  std::mutex mutex_;
  std::condition_variable_any answered_;
  std::deque<Notice> notices_;
  /// Last, so that threads end before what they use.
  std::map<TaskId, Worker> workers_;
};

}  // namespace relab::agent
