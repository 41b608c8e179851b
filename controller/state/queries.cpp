/// What is asked of the state.

#include <algorithm>

#include "common/reflect/notes.h"
#include "controller/state/state.h"

namespace relab::controller {

namespace {

bool succeeded(const TaskRecord& task) {
  return task.evidence && task.evidence->report.reader().getOutcome() == schema::Outcome::SUCCEEDED;
}

/// What it shows in check mode is as good.
bool is_look(const std::string& arm) { return !reflect::notes_of_kind(arm).audit.empty(); }

}  // namespace

const RunRecord* State::run(const RunId& id) const {
  const auto known = std::ranges::find(runs_, id, &RunRecord::id);
  return known == runs_.end() ? nullptr : &*known;
}

const RunRecord* State::open_run(const std::string& phase) const {
  const auto* run = last_run(phase);
  return run != nullptr && !run->ended ? run : nullptr;
}

std::vector<const RunRecord*> State::open_runs(const std::string& phase) const {
  auto open = open_runs();
  std::erase_if(open, [&](const auto* run) { return run->phase != phase; });
  return open;
}

std::vector<const RunRecord*> State::open_runs() const {
  std::vector<const RunRecord*> open;
  for (const auto& run : runs_)
    if (!run.ended) open.push_back(&run);
  return open;
}

const RunRecord* State::last_run(const std::string& phase) const {
  const auto found = std::find_if(runs_.rbegin(), runs_.rend(), [&](const RunRecord& run) {
    return run.phase == phase && !run.check;
  });
  return found == runs_.rend() ? nullptr : &*found;
}

std::vector<const TaskRecord*> State::tasks_of(const RunId& run) const {
  std::vector<const TaskRecord*> found;
  for (const auto& [id, task] : tasks_)
    if (task.run == run) found.push_back(&task);
  return found;
}

const TaskRecord* State::last_ended(const std::string& agent, const std::string& arm,
                                    const About& about) const {
  const TaskRecord* found = nullptr;
  const TaskRecord* newest = nullptr;
  for (const auto& [id, task] : tasks_) {
    if (task.agent != agent || task.arm != arm || (task.check && !is_look(arm)) || task.open() ||
        (about && !about(task.order.reader().getTask())))
      continue;
    if (found == nullptr || task.closed > found->closed) found = &task;
    if (newest == nullptr || task.first_ordered > newest->first_ordered) newest = &task;
  }
  // Reports of an agent that was away come in late: none of them mends what failed after it.
  return newest != nullptr && !succeeded(*newest) ? newest : found;
}

const TaskRecord* State::destroyer_after(std::uint64_t entry, const std::string& agent,
                                         const std::string& resource,
                                         const std::string& step) const {
  const auto own = std::ranges::find_if(
      tasks_, [&](const auto& known) { return known.second.open() && known.second.step == step; });
  const auto gives_way = [&](const TaskRecord& other) {
    return own == tasks_.end() || other.first_ordered < own->second.first_ordered;
  };
  for (const auto& [id, task] : tasks_) {
    if (task.agent != agent || task.destroys.empty() || task.destroys != resource) continue;
    // An order that was refused changed nothing.
    const bool began = task.evidence || task.refusal.empty();
    if (task.open() ? gives_way(task) : began && task.closed > entry) return &task;
  }
  return nullptr;
}

}  // namespace relab::controller
