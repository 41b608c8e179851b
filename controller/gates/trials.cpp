#include "controller/gates/trials.h"

#include <algorithm>

#include "common/reflect/union.h"
#include "controller/gates/testimony.h"

namespace relab::controller {

namespace {

bool wants_drill(schema::Task::Reader task) {
  return task.isZfsBackupVerify() ? task.getZfsBackupVerify().getDrill()
                                  : task.getZfsPoolBackupVerify().getDrill();
}

/// Both read the same copy back.
bool is_same_copy(schema::Task::Reader left, schema::Task::Reader right) {
  if (left.which() != right.which()) return false;
  const auto same = [](auto one, auto other) { return view(one) == view(other); };
  if (left.isZfsPoolBackupVerify()) {
    const auto one = left.getZfsPoolBackupVerify();
    const auto other = right.getZfsPoolBackupVerify();
    return same(one.getDataset(), other.getDataset()) && same(one.getTarget(), other.getTarget());
  }
  const auto one = left.getZfsBackupVerify();
  const auto other = right.getZfsBackupVerify();
  return same(one.getDataset(), other.getDataset()) && same(one.getFolder(), other.getFolder()) &&
         same(one.getName(), other.getName());
}

/// What it found that speaks against the copy, where it was to end with a drill; empty: nothing.
std::string trouble_of_trial(const TaskRecord& task) {
  if (!task.evidence || !wants_drill(task.order.reader().getTask())) return {};
  const auto report = task.evidence->report.reader();
  const bool told = report.getOutcome() == schema::Outcome::FAILED &&
                    view(report.getFailure().getFault()) == name(Fault::damaged);
  return told ? str(report.getFailure().getWhat()) : std::string();
}

bool is_drilled(const TaskRecord& task) {
  if (!task.evidence) return false;
  const auto report = task.evidence->report.reader();
  return report.getOutcome() == schema::Outcome::SUCCEEDED &&
         reflect::member_of(capnp::toDynamic(report.getFacts())) == task.arm &&
         with_facts(report.getFacts(), [](auto facts) { return facts.getDrill().getDone(); });
}

/// Written anew, it is another copy, by the same name.
std::uint64_t written_at(const Evidences& evidences, const TaskRecord& verify) {
  const auto read = verify.order.reader().getTask();
  const About same = [&](schema::Task::Reader task) {
    if (read.isZfsPoolBackupVerify())
      return task.isZfsPoolBackup() && view(task.getZfsPoolBackup().getTarget()) ==
                                           view(read.getZfsPoolBackupVerify().getTarget());
    return task.isZfsBackup() &&
           view(task.getZfsBackup().getFolder()) == view(read.getZfsBackupVerify().getFolder()) &&
           view(task.getZfsBackup().getName()) == view(read.getZfsBackupVerify().getName());
  };
  std::uint64_t written = 0;
  for (const auto* arm : {"zfsBackup", "zfsPoolBackup"})
    for (const auto& [id, task] : evidences.state.tasks())
      if (task.agent == verify.agent && has_written(task, arm) &&
          same(task.order.reader().getTask()))
        written = std::max(written, task.closed);
  return written;
}

}  // namespace

bool has_written(const TaskRecord& task, const std::string& arm) {
  if (task.check || task.arm != arm || !task.evidence) return false;
  const auto report = task.evidence->report.reader();
  return report.getOutcome() == schema::Outcome::SUCCEEDED &&
         any_in(report.getChanges(), [](auto change) { return view(change).starts_with("+ "); });
}

std::string failed_trial(const Evidences& evidences, const TaskRecord& verify) {
  std::string trouble;
  std::uint64_t last = written_at(evidences, verify);
  const auto read = verify.order.reader().getTask();
  for (const auto& [id, task] : evidences.state.tasks()) {
    if (task.check || task.agent != verify.agent || task.arm != verify.arm || task.closed <= last ||
        !is_same_copy(task.order.reader().getTask(), read))
      continue;
    auto found = trouble_of_trial(task);
    if (found.empty() && !is_drilled(task)) continue;
    last = task.closed;
    trouble = std::move(found);
  }
  return trouble;
}

}  // namespace relab::controller
