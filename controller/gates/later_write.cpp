#include "controller/gates/later_write.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/dataset.h"
#include "common/base/text.h"

namespace relab::controller {

namespace {

bool declares(schema::Lab::Reader lab, const std::string& path, std::string_view pool) {
  for (const auto phase : lab.getPlan().getPhases())
    for (const auto track : phase.getTracks())
      for (const auto step : track.getSteps())
        if (path == fmt::format("{}/{}/{}", view(phase.getName()), view(track.getName()),
                                view(step.getName())))
          return any_in(step.getWrites(), [&](auto name) { return view(name) == pool; });
  return false;
}

/// Steps that write to the pool, as lab.toml says now, or said when a run began.
class DeclaredWrites {
 public:
  DeclaredWrites(const Evidences& evidences, std::string_view pool)
      : evidences_(evidences), pool_(pool) {}

  bool has(const TaskRecord& task) {
    if (declares(evidences_.lab, task.step, pool_)) return true;
    const auto& runs = evidences_.state.runs();
    const auto run = std::ranges::find(runs, task.run, &RunRecord::id);
    if (run == runs.end()) return false;
    const auto lab = Message<schema::Lab>::parse(run->lab);
    // What cannot be read may have said so.
    return !lab || declares(lab->reader(), task.step, pool_);
  }

 private:
  const Evidences& evidences_;
  std::string_view pool_;
};

/// An archive was written to it.
bool is_archive_on(const TaskRecord& task, std::string_view pool) {
  if (task.arm != "preserve" || !task.evidence) return false;
  const auto report = task.evidence->report.reader();
  if (!report.getFacts().isPreserve() || report.getChanges().size() == 0) return false;
  const auto facts = report.getFacts().getPreserve();
  return view(facts.getFileSystem()) == "zfs" && pool_of(view(facts.getDevice())) == pool;
}

/// Something was, or may have been, restored into it from an archive.
bool is_restored_to(const TaskRecord& task, std::string_view pool) {
  if (task.arm != "restore" || !task.evidence) return false;
  const auto report = task.evidence->report.reader();
  const bool failed = report.getOutcome() == schema::Outcome::FAILED;
  // One that failed half-way tells neither what it had restored by then nor where.
  const bool told = report.getFacts().isRestore() &&
                    report.getFacts().getRestore().getState() != schema::ZfsBackup::State::NONE;
  if (failed && !told) return true;
  if (!report.getFacts().isRestore() || (report.getChanges().size() == 0 && !failed)) return false;
  return any_in(report.getFacts().getRestore().getDatasets(),
                [&](auto dataset) { return pool_of(view(dataset)) == pool; });
}

/// The ledger's entry with the order by which the snapshot was taken; 0: none is known.
std::uint64_t order_of(const Evidences& evidences, const TakenSnapshot& snapshot) {
  std::uint64_t ordered = 0;
  for (const auto& [id, task] : evidences.state.tasks()) {
    const auto asked = task.order.reader().getTask();
    if (task.check || !task.evidence || !asked.isZfsSnapshot()) continue;
    if (view(asked.getZfsSnapshot().getDataset()) != snapshot.pool ||
        view(asked.getZfsSnapshot().getName()) != snapshot.name)
      continue;
    // One that found it there has taken none.
    if (any_in(task.evidence->report.reader().getChanges(),
               [](auto change) { return view(change).starts_with("+ "); }))
      ordered = std::max(ordered, task.first_ordered);
  }
  return ordered;
}

}  // namespace

std::string later_write(const Evidences& evidences, const TakenSnapshot& snapshot) {
  // ZFS tells whole seconds.
  const auto taken = snapshot.at + std::chrono::seconds(1);
  const auto ordered = order_of(evidences, snapshot);
  DeclaredWrites declared(evidences, snapshot.pool);
  for (const auto& [id, task] : evidences.state.tasks()) {
    if (task.check || (!task.refusal.empty() && !task.evidence)) continue;
    if (!is_archive_on(task, snapshot.pool) && !is_restored_to(task, snapshot.pool) &&
        !declared.has(task))
      continue;
    if (!task.evidence)
      return fmt::format("whether {} wrote to the pool after its snapshot is not known", task.step);
    const bool later = instant_of(task.evidence->report.reader().getEndedAt()) > taken;
    if (later || (ordered != 0 && task.closed > ordered))
      return fmt::format("{} wrote to the pool after its snapshot was taken", task.step);
  }
  return {};
}

}  // namespace relab::controller
