#include "controller/cli/run_ending.h"

#include <fmt/format.h>

#include "controller/cli/show_gate.h"
#include "controller/run/impostor.h"

namespace relab::controller::cli {

namespace {

constexpr auto impostor_patience = Millis(1500);

ExitCode code_of(const Engine& engine) {
  auto code = engine.count(StepState::failed) != 0 ? ExitCode::failed : ExitCode::done;
  for (const auto wait : engine.stalled()) {
    if (wait == Wait::agent) code = worse(code, ExitCode::unreachable);
    if (wait == Wait::approval || wait == Wait::person) code = worse(code, ExitCode::person_needed);
    if (wait == Wait::evidence) code = worse(code, ExitCode::gate_closed);
  }
  return code;
}

}  // namespace

Result<PartEnd> RunEnding::conclude(const Driver& driver) const {
  // A phase that lab.toml has no more proves nothing.
  Gate gate{.phase = part_.phase, .open = true, .verdicts = {}};
  const bool is_known = compile_phase(lab_, part_.phase).has_value();
  if (is_known) {
    RELAB_TRY(gate, judge_proof(part_.phase, context_.evidences(lab_, opened_.book.state())));
  }
  RELAB_CHECK(opened_.book.run_ended(run_));
  if (is_known) RELAB_CHECK(opened_.book.judged(gate));
  const auto& engine = driver.engine();
  const auto lost = engine.count(StepState::failed) + engine.count(StepState::blocked);
  const auto succeeded = engine.count(StepState::succeeded);
  context_.out().line(
      fmt::format("Phase {}: {} step(s) succeeded, {} failed.", part_.text(), succeeded, lost));
  tell_notes();
  if (!gate.verdicts.empty())
    show(gate, fmt::format("What {} must show before anything after it", part_.phase),
         context_.out());
  PartEnd end{.code = lost != 0   ? ExitCode::failed
                      : gate.open ? ExitCode::done
                                  : ExitCode::gate_closed,
              .value = {{"run", run_.text()},
                        {"phase", part_.phase},
                        {"succeeded", succeeded},
                        {"failed", lost},
                        {"gate", to_json(gate)}}};
  if (!part_.track.empty()) end.value["track"] = part_.track;
  return end;
}

void RunEnding::tell_notes() const {
  for (const auto* task : opened_.book.state().tasks_of(run_)) {
    if (!task->evidence) continue;
    for (const auto change : task->evidence->report.reader().getChanges())
      if (view(change).starts_with("! "))
        context_.out().line(
            fmt::format("  {}: {}", task->step, Printer::harmless(view(change).substr(2))));
  }
}

Result<PartEnd> RunEnding::conclude_check(const Driver& driver) const {
  RELAB_CHECK(opened_.book.run_ended(run_));
  auto& out = context_.out();
  auto steps = nlohmann::json::array();
  out.line(fmt::format("Phase {}, checked: nothing was changed.", part_.text()));
  for (const auto* task : opened_.book.state().tasks_of(run_)) {
    if (!task->evidence) continue;
    auto changes = nlohmann::json::array();
    for (const auto change : task->evidence->report.reader().getChanges())
      changes.push_back(Printer::harmless(str(change)));
    out.line(fmt::format("  {} on {}{}", task->step, task->agent,
                         changes.empty() ? ": nothing would change" : ""));
    for (const auto& change : changes) out.line("    " + change.get<std::string>());
    steps.push_back({{"step", task->step}, {"agent", task->agent}, {"changes", changes}});
  }
  const auto& engine = driver.engine();
  const auto lost = engine.count(StepState::failed) + engine.count(StepState::blocked);
  if (lost != 0) out.line(fmt::format("  {} step(s) could not be checked", lost));
  return PartEnd{.code = lost != 0 ? ExitCode::failed : ExitCode::done,
                 .value = {{"run", run_.text()},
                           {"phase", part_.phase},
                           {"check", true},
                           {"failed", lost},
                           {"steps", std::move(steps)}}};
}

PartEnd RunEnding::tell_stalled(const Driver& driver) const {
  for (const auto* session : driver.missing())
    context_.out().error(
        name_impostor(*session, opened_.book.state(), opened_.keys, impostor_patience));
  auto waiting = nlohmann::json::array();
  for (const auto& track : driver.engine().tracks())
    for (const auto& run : track) {
      if (run.wait == Wait::nothing) continue;
      context_.out().line(fmt::format("  {} waits: {}", run.step.path, run.why));
      waiting.push_back(
          {{"step", run.step.path}, {"for", std::string(name(run.wait))}, {"why", run.why}});
    }
  context_.out().note(
      fmt::format("Nothing is lost: `relab run {}{}` carries on when what it waits for is there.",
                  part_.text(), check_ ? " --check" : ""));
  return {.code = code_of(driver.engine()),
          .value = {{"phase", part_.phase}, {"waiting", std::move(waiting)}}};
}

}  // namespace relab::controller::cli
