#pragma once

/// Disks that can be full, and under which a program can die before or after any write.

#include <functional>
#include <map>
#include <vector>

#include "agent/journal/journal.h"
#include "controller/ledger/entries.h"
#include "tests/simulation/chance.h"
#include "tests/simulation/plant.h"
#include "tests/simulation/watch.h"

namespace relab::sim {

/// Thrown out of a write: the program that wrote is dead.
struct Crash {};

class Disk {
 public:
  Disk(Chance& chance, Watch& watch) : chance_(chance), watch_(watch) {}

  bool full = false;
  /// A program dies at one in so many writes; 0: never.
  std::uint64_t deadly = 0;

  Result<void> write(const std::function<void()>& change);

 private:
  Chance& chance_;
  Watch& watch_;
};

/// What is left of a journal when its agent is dead.
struct JournalDisk {
  std::map<TaskId, agent::JournalRow> rows;
  Bytes identity;
  Bytes checkpoint = {};
  /// The newest report on each kind of task, with when its task began.
  struct Shown {
    crypto::Digest digest{};
    std::uint64_t began = 0;
  };
  std::map<std::string, Shown, std::less<>> newest = {};
  /// Counts beginnings and ends of tasks; when each began, and what was destroyed when last.
  std::uint64_t moment = 0;
  std::map<TaskId, std::uint64_t> began = {};
  std::map<std::string, std::uint64_t, std::less<>> deeds = {};
  /// Acknowledged rows as they were, until a durable write: a loss of power brings them back.
  std::map<TaskId, agent::JournalRow> relaxed = {};
  /// Counts changes.
  std::uint64_t changes = 0;
};

class SimJournal final : public agent::TaskJournal {
 public:
  SimJournal(JournalDisk& kept, Disk& disk, Watch& watch, Plant plant, std::size_t agent)
      : kept_(kept), disk_(disk), watch_(watch), plant_(plant), agent_(agent) {}

  bool lost() const override { return false; }
  const Bytes& identity() const override { return kept_.identity; }
  Result<std::vector<agent::JournalRow>> held() override;
  Result<std::optional<agent::JournalRow>> find(const TaskId& id) override;
  Result<void> accept(const agent::JournalRow& row) override;
  Result<void> begin(const TaskId& id) override;
  Result<void> finish(const agent::JournalEnd& end) override;
  Result<std::optional<agent::Newest>> newest_report(std::string_view arm,
                                                     std::string_view resource) override;
  Result<void> arm(const TaskId& id, ByteView before, const std::string& boot) override;
  Result<void> hold(const TaskId& id, ByteView report, Instant until) override;
  Result<void> keep(const agent::JournalEnd& end) override;
  Result<void> retract(const TaskId& id) override;
  Result<void> acknowledge(const TaskId& id) override;
  Result<Bytes> checkpoint(const crypto::PublicKey& /*controller*/) override {
    return kept_.checkpoint;
  }
  Result<void> keep_checkpoint(const crypto::PublicKey& controller, ByteView envelope) override;
  Result<std::uint64_t> room() const override { return std::uint64_t{1} << 30U; }
  std::string place() const override { return "a simulated disk"; }

 private:
  /// With the end of a task, also which report on such tasks is the newest.
  Result<void> change(const agent::JournalRow& row, bool durable,
                      const agent::JournalEnd* end = nullptr);
  void tell_watch(const agent::JournalRow& row);
  /// What the change of a row means for evidence.
  void note_moment(const agent::JournalRow& row, const agent::JournalEnd* end);

  JournalDisk& kept_;
  Disk& disk_;
  Watch& watch_;
  Plant plant_;
  std::size_t agent_;
  bool kept_now_ = false;
  /// Rows that a planted bug keeps in memory only.
  std::map<TaskId, agent::JournalRow> volatile_;
};

class SimEntries final : public controller::EntryStore {
 public:
  SimEntries(std::vector<controller::StoredEntry>& kept, Disk& disk, Watch& watch, Plant plant)
      : kept_(kept), disk_(disk), watch_(watch), plant_(plant) {}

  Result<std::vector<controller::StoredEntry>> load() override { return kept_; }
  Result<void> append(const controller::StoredEntry& entry) override;

 private:
  Result<void> store(const controller::StoredEntry& entry);

  std::vector<controller::StoredEntry>& kept_;
  Disk& disk_;
  Watch& watch_;
  Plant plant_;
  std::optional<controller::StoredEntry> late_;
};

}  // namespace relab::sim
