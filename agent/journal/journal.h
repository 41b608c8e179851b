#pragma once

/// The agent's durable memory of tasks: written before a task starts and before a report is sent.

#include <filesystem>
#include <optional>
#include <vector>

#include "common/base/id.h"
#include "common/base/result.h"
#include "common/crypto/hash.h"
#include "common/store/database.h"
#include "schema/wire.capnp.h"

namespace relab::agent {

enum class TaskState { accepted = 1, running = 2, finished = 3, acknowledged = 4 };

/// One task as the journal holds it.
struct JournalRow {
  TaskId id;
  crypto::Digest task_digest{};
  crypto::Digest order_digest{};
  TaskState state = TaskState::accepted;
  /// The order's payload; empty once it is acknowledged.
  Bytes order = {};
  /// The signed report; empty before the task finished and after it was acknowledged.
  Bytes report = {};
};

class Journal {
 public:
  /// A file that is damaged is put aside under another name and a new one begun; `lost()` tells.
  static Result<Journal> open(const std::filesystem::path& state_dir);

  bool lost() const { return lost_; }
  /// 16 random bytes that were made with this journal.
  const Bytes& identity() const { return identity_; }
  /// Every task whose report was not acknowledged, oldest first.
  Result<std::vector<JournalRow>> held();
  Result<std::optional<JournalRow>> find(const TaskId& id);

  /// Durable when it returns; Fault::conflict for a task that is known already.
  Result<void> accept(const JournalRow& row);
  /// Durable when they return; Fault::conflict unless the task was accepted, or had no report yet.
  Result<void> begin(const TaskId& id);
  Result<void> finish(const TaskId& id, ByteView report);
  /// Drops order and report of the task but keeps its id, so that it never runs again.
  Result<void> acknowledge(const TaskId& id);

  /// Free bytes under the journal.
  Result<std::uint64_t> room() const;

 private:
  Journal(store::Database database, std::filesystem::path folder, bool lost)
      : database_(std::move(database)), folder_(std::move(folder)), lost_(lost) {}
  Result<void> read_identity();
  Result<void> update(std::string_view sql, const TaskId& id);

  store::Database database_;
  std::filesystem::path folder_;
  bool lost_;
  Bytes identity_;
};

}  // namespace relab::agent
