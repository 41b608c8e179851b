#include <fmt/format.h>

#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/plan/plan.h"
#include "controller/report/table.h"
#include "controller/run/book.h"

namespace relab::controller::cli {

namespace {

std::string state_of(const TaskRecord& task) {
  if (!task.refusal.empty()) return "refused: " + task.refusal;
  if (!task.abandoned.empty()) return "given up: " + task.abandoned;
  if (!task.evidence) return "ordered, no report yet";
  const auto report = task.evidence->report.reader();
  switch (report.getOutcome()) {
    case schema::Outcome::SUCCEEDED:
      return "succeeded";
    case schema::Outcome::FAILED:
      return "failed: " + str(report.getFailure().getWhat());
    case schema::Outcome::REFUSED:
      return "refused: " + str(report.getFailure().getWhat());
    case schema::Outcome::CANCELLED:
      return "cancelled";
    case schema::Outcome::UNKNOWN:
      return "unknown: " + str(report.getFailure().getWhat());
    case schema::Outcome::UNSET:
      break;
  }
  return "a report without outcome";
}

nlohmann::json show_run(const RunRecord& run, const State& state, Printer& out) {
  Table table({"step", "agent", "ordered", "state"});
  auto tasks = nlohmann::json::array();
  for (const auto* task : state.tasks_of(run.id)) {
    table.add({{task->step}, {task->agent}, {iso8601(task->ordered)}, {state_of(*task)}});
    tasks.push_back({{"task", task->id.text()},
                     {"step", task->step},
                     {"agent", task->agent},
                     {"attempt", task->attempt},
                     {"ordered", iso8601(task->ordered)},
                     {"state", state_of(*task)}});
  }
  out.line(fmt::format(
      "  run {} of {}, {}", run.id.brief(), iso8601(run.started),
      run.ended ? "ended " + iso8601(*run.ended) : "not ended: `relab run` carries on"));
  if (!tasks.empty()) out.text(table.print(out.style()));
  return {{"run", run.id.text()},
          {"started", iso8601(run.started)},
          {"ended", run.ended ? nlohmann::json(iso8601(*run.ended)) : nlohmann::json()},
          {"tasks", std::move(tasks)}};
}

}  // namespace

ExitCode status(const Values& /*values*/, Context& context) {
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto book = context.read_book(str(lab->reader().getName()));
  if (!book) return context.failed(book.error());
  auto phases = nlohmann::json::array();
  for (const auto phase : lab->reader().getPlan().getPhases()) {
    const auto name = str(phase.getName());
    context.out().line(fmt::format("{}  {}", context.out().bold(name), str(phase.getTitle())));
    const auto* run = book->state().last_run(name);
    if (run == nullptr) context.out().line("  never run");
    phases.push_back({{"phase", name},
                      {"lastRun", run == nullptr ? nlohmann::json()
                                                 : show_run(*run, book->state(), context.out())}});
  }
  for (const auto* run : book->state().open_runs()) {
    if (compile_phase(lab->reader(), run->phase)) continue;
    context.out().line(fmt::format("{}  no longer in lab.toml: `relab attach` ends its run",
                                   context.out().bold(run->phase)));
    phases.push_back(
        {{"phase", run->phase}, {"lastRun", show_run(*run, book->state(), context.out())}});
  }
  context.out().value({{"lab", book->state().lab()}, {"phases", std::move(phases)}});
  return ExitCode::done;
}

}  // namespace relab::controller::cli
