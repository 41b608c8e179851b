#pragma once

/// Disks that can be full, and under which a program can die in the middle of any write; the stores
/// on them are the programs' own.

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "agent/journal/journal.h"
#include "controller/ledger/entries.h"
#include "tests/simulation/chance.h"
#include "tests/simulation/plant.h"
#include "tests/simulation/watch.h"
#include "tests/support/sim_files.h"

namespace relab::sim {

/// Thrown out of a write: the program that wrote is dead.
struct Crash {};

/// A folder of its own, removed at the end. What SQLite has in it is in memory, as SimFiles are;
/// the few other files are real ones.
class Disk {
 public:
  Disk(Chance& chance, Watch& watch);
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;
  ~Disk();

  /// A program dies at one in so many writes; 0: never.
  std::uint64_t deadly = 0;
  SimFiles& files() { return files_; }
  const std::filesystem::path& folder() const { return folder_; }

  /// What the call comes to; throws Crash when the program died in it, or right after it. With
  /// `lazy`, the disk says that it is written when it is not yet.
  template <typename Call>
  auto write(Call call, bool lazy = false) {
    arm();
    files_.lazy = lazy;
    auto done = call();
    files_.lazy = false;
    disarm();
    return done;
  }
  /// The program that used it is dead, and was closed; with a loss of power, what was not synced
  /// may be lost, or a part of it.
  void left_by_the_dead(bool power);
  void empty();

 private:
  void arm();
  void disarm();

  Chance& chance_;
  Watch& watch_;
  bool dies_ = false;
  std::filesystem::path folder_;
  SimFiles files_;
};

/// What is remembered of a journal when its agent is dead.
struct JournalMemory {
  /// The end of a task that was being written then: whether it is there is for the disk to tell.
  struct Doubt {
    TaskId id;
    bool keeps;
  };
  std::optional<Doubt> doubt;
  /// Of the first one, for a planted bug.
  Bytes identity;
};

/// The agent's own journal, which tells the watch what is on the disk.
class SimJournal final : public agent::TaskJournal {
 public:
  struct Place {
    Disk& disk;
    JournalMemory& memory;
    Watch& watch;
    Plant plant;
    std::size_t agent;
  };
  /// Throws Crash, or Violation for a journal that is not whole; Fault::busy on a full disk.
  static Result<std::unique_ptr<SimJournal>> open(const Place& place);
  SimJournal(const Place& place, agent::Journal journal);

  bool lost() const override { return false; }
  const Bytes& identity() const override;
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
  Result<Bytes> checkpoint(const crypto::PublicKey& controller) override;
  Result<void> keep_checkpoint(const crypto::PublicKey& controller, ByteView envelope) override;
  Result<std::uint64_t> room() const override { return std::uint64_t{1} << 30U; }
  std::string place() const override { return "a simulated disk"; }

  /// Every task whose report was not acknowledged.
  const std::map<TaskId, agent::TaskState>& states();
  /// The task whose report that is, if it was not acknowledged.
  std::optional<TaskId> owner(ByteView report);

 private:
  /// Whether a planted bug takes what the journal refuses for done.
  Result<void> forgiven(Result<void> done) const;
  /// By what is on the disk, whatever the agent makes of it.
  void settle_doubt();
  void tell_watch(const agent::JournalRow& row, bool keeps);
  bool plants(Plant plant) const { return place_.plant == plant; }

  Place place_;
  agent::Journal journal_;
  std::map<TaskId, agent::TaskState> states_;
  std::optional<std::uint64_t> states_at_;
};

/// The controller's own ledger, which tells the watch what is on the disk.
class SimEntries final : public controller::EntryStore {
 public:
  /// Throws Crash; Fault::busy on a full disk.
  static Result<std::unique_ptr<SimEntries>> open(Disk& disk, Watch& watch, Plant plant);
  SimEntries(Disk& disk, Watch& watch, Plant plant, std::unique_ptr<controller::EntryStore> store);

  Result<std::vector<controller::StoredEntry>> load() override;
  Result<void> append(const controller::StoredEntry& entry) override;

 private:
  Result<void> store(const controller::StoredEntry& entry);

  Disk& disk_;
  Watch& watch_;
  Plant plant_;
  std::unique_ptr<controller::EntryStore> store_;
  std::optional<controller::StoredEntry> late_;
};

/// Takes the last entry off a ledger that nobody has open, if it has more than a few.
void cut_last_entry(Disk& disk);

}  // namespace relab::sim
