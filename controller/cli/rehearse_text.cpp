#include "controller/cli/rehearse_text.h"

#include <fmt/format.h>
#include <map>

#include "controller/cli/page/parts.h"
#include "controller/cli/run_part.h"

namespace relab::controller::cli {

namespace {

using nlohmann::json;
using rehearsal::Rehearsal;
using rehearsal::Trouble;

constexpr std::size_t usual_width = 100;

std::string_view name(Trouble::Kind kind) {
  switch (kind) {
    case Trouble::Kind::failed:
      return "fails";
    case Trouble::Kind::unwell:
      return "unwell";
    case Trouble::Kind::unmet:
      return "unmet";
    case Trouble::Kind::waits:
      return "waits";
    case Trouble::Kind::missing:
      return "missing";
    case Trouble::Kind::clashes:
      return "clash";
    case Trouble::Kind::lost:
      return "lost";
    case Trouble::Kind::untrue:
      return "UNTRUE";
    case Trouble::Kind::not_played:
      return "unknown";
  }
  return "unknown";
}

/// What each step changed, in the order in which they were ordered.
template <typename Visit>
void each_change(const Rehearsal& rehearsal, Visit visit) {
  std::map<std::uint64_t, const TaskRecord*> ordered;
  for (const auto& [id, task] : rehearsal.stage().book().state().tasks())
    ordered.emplace(task.first_ordered, &task);
  for (const auto& [number, task] : ordered) {
    if (!task->evidence) continue;
    const auto changes = task->evidence->report.reader().getChanges();
    if (changes.size() != 0) visit(*task, changes);
  }
}

void show_changes(const Rehearsal& rehearsal, Printer& out) {
  bool any = false;
  each_change(rehearsal, [&](const TaskRecord& task, auto changes) {
    if (!any) out.line("\n" + out.bold("What it would change"));
    any = true;
    out.line(fmt::format("  {} on {}", task.step, task.agent));
    for (const auto change : changes) out.line("    " + Printer::harmless(str(change)));
  });
  if (!any) out.line("\nIt would change nothing.");
}

std::string counted(const rehearsal::PhaseEnd& end) {
  auto words = fmt::format("{} step(s) succeeded, {} failed", end.succeeded, end.failed);
  if (end.blocked != 0) words += fmt::format(", {} behind them never began", end.blocked);
  return words;
}

void show_phases(const Rehearsal& rehearsal, Printer& out) {
  out.line("\n" + out.bold("Phases"));
  for (const auto& phase : rehearsal.phases()) {
    std::string words;
    if (phase.installs)
      words = fmt::format("{}installs anew: its gate is {}",
                          phase.steps == 0 ? "no steps in lab.toml, " : "",
                          phase.end.gate.open ? out.good("open") : out.bad("shut"));
    else if (phase.steps == 0)
      words = "no steps in lab.toml";
    else if (!phase.end.gate.open)
      words = out.bad("its gate is shut");
    else if (!phase.end.ran)
      words = fmt::format("{}: {}", out.bad("came to a standstill"), counted(phase.end));
    else
      words = fmt::format("{}: {}, {}",
                          phase.complete() ? out.good("complete") : out.bad("not complete"),
                          counted(phase.end), human(phase.end.ended - phase.end.began));
    out.line(fmt::format("  {:4} {}", Printer::harmless(phase.name), words));
  }
}

void show_troubles(const std::vector<Trouble>& troubles, Printer& out) {
  if (troubles.empty()) {
    out.line("\n" + out.good("Nothing was found to be wrong."));
    return;
  }
  out.line("\n" + out.bold(fmt::format("{} problem(s)", troubles.size())));
  for (const auto& trouble : troubles) {
    out.line(fmt::format("  {} {}: {}", out.bad(fmt::format("{:7}", name(trouble.kind))),
                         Printer::harmless(trouble.where), Printer::harmless(trouble.what)));
    if (!trouble.hint.empty()) out.line("          " + Printer::harmless(trouble.hint));
  }
}

void show_requests(const Rehearsal& rehearsal, Printer& out) {
  const auto requests = rehearsal.requests();
  if (requests.empty()) return;
  out.line("\n" + out.bold("What people have to do"));
  for (const auto& request : requests) {
    out.line(fmt::format("  {} on {}: {}", Printer::harmless(request.step),
                         Printer::harmless(request.agent), Printer::harmless(request.what)));
    if (!request.command.empty()) out.line("    " + Printer::harmless(request.command));
  }
}

json requests_json(const Rehearsal& rehearsal) {
  auto all = json::array();
  for (const auto& request : rehearsal.requests())
    all.push_back({{"step", request.step},
                   {"agent", request.agent},
                   {"what", request.what},
                   {"command", request.command}});
  return all;
}

json timeline_json(const rehearsal::Course& course) {
  auto bars = json::array();
  for (const auto& bar : course.bars)
    bars.push_back({{"step", fmt::format("{}/{}/{}", bar.phase, bar.track, bar.step)},
                    {"attempt", bar.attempt},
                    {"agent", bar.agent},
                    {"started", iso8601(bar.began)},
                    {"seconds", static_cast<double>((bar.ended - bar.began).count()) / 1000.0},
                    {"outcome", bar.outcome},
                    {"person", bar.person}});
  return bars;
}

}  // namespace

void show(const Rehearsal& rehearsal, Printer& out) {
  const auto width = out.style().width == 0 ? usual_width : out.style().width;
  const auto course = rehearsal.course();
  out.line("\n" +
           out.bold(fmt::format("Timeline, {} altogether (# works, ~ waits for a person, ! fails)",
                                human(course.ended - course.began))));
  out.text(rehearsal::gantt_text(course, width));
  show_changes(rehearsal, out);
  show_requests(rehearsal, out);
  out.line("\n" + out.bold("What it rests on"));
  for (const auto& sentence : rehearsal.assumptions())
    out.line("  assumed: " + Printer::harmless(sentence));
  if (const auto met = rehearsal.faults_met(); !met.empty()) {
    out.line("\n" + out.bold("What was made to go wrong"));
    for (const auto& fault : met) out.line("  " + Printer::harmless(fault));
  }
  show_phases(rehearsal, out);
  show_troubles(rehearsal.troubles(), out);
}

json to_json(const Rehearsal& rehearsal, schema::Lab::Reader lab) {
  auto phases = json::array();
  for (const auto& phase : rehearsal.phases())
    phases.push_back({{"phase", phase.name},
                      {"title", phase.title},
                      {"steps", phase.steps},
                      {"gate_open", phase.end.gate.open},
                      {"ran", phase.end.ran},
                      {"succeeded", phase.end.succeeded},
                      {"failed", phase.end.failed},
                      {"blocked", phase.end.blocked},
                      {"proof_open", phase.proof.open},
                      {"complete", phase.complete()}});
  auto troubles = json::array();
  for (const auto& trouble : rehearsal.troubles())
    troubles.push_back({{"kind", std::string(name(trouble.kind))},
                        {"where", trouble.where},
                        {"what", trouble.what},
                        {"hint", trouble.hint}});
  auto changes = json::array();
  each_change(rehearsal, [&](const TaskRecord& task, auto lines) {
    json texts = json::array();
    for (const auto line : lines) texts.push_back(str(line));
    changes.push_back({{"step", task.step}, {"agent", task.agent}, {"changes", texts}});
  });
  const auto course = rehearsal.course();
  return {{"began", iso8601(course.began)},
          {"ended", iso8601(course.ended)},
          {"people", requests_json(rehearsal)},
          {"assumptions", rehearsal.assumptions()},
          {"faults", rehearsal.faults_met()},
          {"phases", std::move(phases)},
          {"timeline", timeline_json(course)},
          {"changes", std::move(changes)},
          {"problems", std::move(troubles)},
          {"survival", survival_json(rehearsal.stage().evidences(lab))}};
}

namespace {

/// The group of the page that it belongs to; empty: the page tells it with its step or gate.
std::string_view group_of(Trouble::Kind kind) {
  switch (kind) {
    case Trouble::Kind::untrue:
      return "failed";
    case Trouble::Kind::unwell:
      return "unwell";
    case Trouble::Kind::clashes:
      return "clash";
    case Trouble::Kind::lost:
      return "undecided";
    case Trouble::Kind::missing:
      return "missing";
    case Trouble::Kind::not_played:
      return "other";
    case Trouble::Kind::failed:
    case Trouble::Kind::waits:
    case Trouble::Kind::unmet:
      break;
  }
  return {};
}

}  // namespace

namespace {

/// What no run's ledger tells: a step waits, and nobody came.
void add_waits(const Rehearsal& rehearsal, json& report) {
  std::map<std::string, const rehearsal::WaitingStep*> waiting;
  for (const auto& phase : rehearsal.phases())
    for (const auto& step : phase.end.waiting) waiting[step.path] = &step;
  for (auto& phase : report["phases"])
    for (auto& track : phase["tracks"])
      for (auto& step : track["steps"])
        if (const auto found = waiting.find(step["step"].get<std::string>());
            found != waiting.end())
          step["wait"] = {{"for", name(found->second->wait)}, {"why", found->second->why}};
  // Of steps that wait for a person the page tells itself.
  for (const auto& [path, step] : waiting)
    if (step->wait != Wait::person && step->wait != Wait::approval)
      report["problems"].push_back(
          {{"kind", "unmet"},
           {"what", path},
           {"why", fmt::format("waits for {}: {}", name(step->wait), step->why)},
           {"step", path}});
}

/// It is over: nothing is under way any more, and nothing is well that has a problem.
void judge(const Rehearsal& rehearsal, json& report) {
  const auto troubles = rehearsal.troubles();
  auto& verdict = report["verdict"];
  for (const auto& phase : rehearsal.phases()) {
    if (!phase.end.gate.open || phase.steps == 0 || phase.end.ran || phase.installs) continue;
    verdict["state"] = "problem";
    verdict["sentence"] = fmt::format("Phase {} came to a standstill.", phase.name);
    for (auto& page : report["phases"])
      if (page["phase"] == phase.name && page["state"] == "running") page["state"] = "unmet";
    return;
  }
  if (verdict["state"] != "done" || troubles.empty()) return;
  verdict["state"] = "problem";
  verdict["sentence"] =
      fmt::format("Every phase came to its end, with {} problem(s) left.", troubles.size());
}

}  // namespace

void add_rehearsal(const Rehearsal& rehearsal, json& report) {
  report["rehearsal"] = {{"began", iso8601(rehearsal.began())},
                         {"people", requests_json(rehearsal)},
                         {"assumptions", rehearsal.assumptions()},
                         {"faults", rehearsal.faults_met()}};
  for (const auto& trouble : rehearsal.troubles()) {
    const auto kind = group_of(trouble.kind);
    if (!kind.empty())
      report["problems"].push_back(
          {{"kind", kind}, {"what", trouble.where}, {"why", trouble.what}, {"hint", trouble.hint}});
  }
  add_waits(rehearsal, report);
  judge(rehearsal, report);
}

ExitCode code_of(const Rehearsal& rehearsal) {
  auto code = ExitCode::done;
  for (const auto& phase : rehearsal.phases()) {
    if (phase.end.failed != 0) code = worse(code, ExitCode::failed);
    for (const auto& waiting : phase.end.waiting) {
      if (waiting.wait == Wait::agent) code = worse(code, ExitCode::unreachable);
      if (waiting.wait == Wait::approval || waiting.wait == Wait::person)
        code = worse(code, ExitCode::person_needed);
      if (waiting.wait == Wait::evidence) code = worse(code, ExitCode::gate_closed);
    }
    if (!phase.complete()) code = worse(code, ExitCode::gate_closed);
  }
  const auto troubles = rehearsal.troubles();
  for (const auto& trouble : troubles)
    if (trouble.kind == Trouble::Kind::not_played || trouble.kind == Trouble::Kind::untrue)
      code = worse(code, ExitCode::failed);
  // Nothing that is wrong goes with "done".
  return code == ExitCode::done && !troubles.empty() ? ExitCode::failed : code;
}

}  // namespace relab::controller::cli
