#include "controller/gates/later_write.h"

#include <fmt/format.h>

#include "common/base/text.h"

namespace relab::controller {

namespace {

/// lab.toml says of the step that did it that it writes to the pool.
bool is_declared_write(const Evidences& evidences, const TaskRecord& task, std::string_view pool) {
  for (const auto phase : evidences.lab.getPlan().getPhases())
    for (const auto track : phase.getTracks())
      for (const auto step : track.getSteps())
        if (task.step == fmt::format("{}/{}/{}", view(phase.getName()), view(track.getName()),
                                     view(step.getName())))
          return any_in(step.getWrites(), [&](auto name) { return view(name) == pool; });
  return false;
}

/// An archive was written to it.
bool is_archive_on(const TaskRecord& task, std::string_view pool) {
  if (task.arm != "preserve" || !task.evidence) return false;
  const auto report = task.evidence->report.reader();
  if (!report.getFacts().isPreserve() || report.getChanges().size() == 0) return false;
  const auto device = view(report.getFacts().getPreserve().getDevice());
  return view(report.getFacts().getPreserve().getFileSystem()) == "zfs" &&
         device.substr(0, device.find('/')) == pool;
}

}  // namespace

std::string later_write(const Evidences& evidences, std::string_view pool, Instant snapshot) {
  // ZFS tells whole seconds.
  const auto taken = snapshot + std::chrono::seconds(1);
  for (const auto& [id, task] : evidences.state.tasks()) {
    if (task.check || !task.refusal.empty()) continue;
    const bool declared = is_declared_write(evidences, task, pool);
    if (!declared && !is_archive_on(task, pool)) continue;
    if (!task.evidence)
      return fmt::format("whether {} wrote to the pool after its snapshot is not known", task.step);
    if (instant_of(task.evidence->report.reader().getEndedAt()) > taken)
      return fmt::format("{} wrote to the pool after its snapshot was taken", task.step);
  }
  return {};
}

}  // namespace relab::controller
