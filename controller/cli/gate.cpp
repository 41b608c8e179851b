#include "controller/gates/gate.h"

#include <fmt/format.h>

#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/cli/show_gate.h"
#include "controller/plan/plan.h"
#include "controller/run/book.h"

namespace relab::controller::cli {

namespace {

nlohmann::json finding_json(const Finding& finding) {
  nlohmann::json json = {{"subject", finding.subject}, {"met", finding.met}, {"why", finding.why}};
  if (!finding.supply.empty()) json["supply"] = finding.supply;
  if (finding.task) json["task"] = finding.task->text();
  return json;
}

void show_supplies(const Gate& gate, Printer& out) {
  std::vector<std::string> supplies;
  for (const auto& verdict : gate.verdicts)
    for (const auto& finding : verdict.findings)
      if (!finding.met && !finding.supply.empty() &&
          std::find(supplies.begin(), supplies.end(), finding.supply) == supplies.end())
        supplies.push_back(finding.supply);
  for (const auto& supply : supplies) out.line("  supply what is missing: " + supply);
}

ExitCode explain(const std::string& phase, const Evidences& evidences, Context& context,
                 nlohmann::json& list) {
  const auto entry = judge_entry(phase, evidences);
  const auto proof = judge_proof(phase, evidences);
  if (!entry) return context.failed(entry.error());
  if (!proof) return context.failed(proof.error());
  show(*entry, fmt::format("Gate of {}", phase), context.out());
  if (!proof->verdicts.empty())
    show(*proof, fmt::format("What {} must show before anything after it", phase), context.out());
  list.push_back({{"phase", phase}, {"entry", to_json(*entry)}, {"proof", to_json(*proof)}});
  return entry->open && proof->open ? ExitCode::done : ExitCode::gate_closed;
}

}  // namespace

nlohmann::json to_json(const Gate& gate) {
  auto conditions = nlohmann::json::array();
  for (const auto& verdict : gate.verdicts) {
    auto findings = nlohmann::json::array();
    for (const auto& finding : verdict.findings) findings.push_back(finding_json(finding));
    conditions.push_back({{"condition", verdict.condition},
                          {"met", verdict.met},
                          {"findings", std::move(findings)}});
  }
  return {{"open", gate.open}, {"conditions", std::move(conditions)}};
}

void show(const Gate& gate, const std::string& heading, Printer& out) {
  out.line(fmt::format("{}: {}", heading, gate.open ? out.good("open") : out.bad("CLOSED")));
  if (gate.verdicts.empty()) out.line("  no conditions");
  for (const auto& verdict : gate.verdicts) {
    out.line(fmt::format("  {} {}", verdict.condition,
                         verdict.met ? out.good("met") : out.bad("not met")));
    for (const auto& finding : verdict.findings)
      out.line(fmt::format("    {} {:26} {}", finding.met ? out.good("ok ") : out.bad("NO "),
                           finding.subject, Printer::harmless(finding.why)));
  }
  show_supplies(gate, out);
}

ExitCode gate(const Values& values, Context& context) {
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto book = Book::open_read_only(context.ledger_file(str(lab->reader().getName())));
  if (!book) return context.failed(book.error());
  const Evidences evidences{.lab = lab->reader(), .state = book->state(), .now = wall_clock()};
  const auto wanted = argument_of(values, 0);
  auto worst = ExitCode::done;
  auto list = nlohmann::json::array();
  for (const auto& phase : wanted.empty() ? phase_names(lab->reader()) : std::vector{wanted}) {
    if (const auto compiled = compile_phase(lab->reader(), phase); !compiled) {
      context.out().error(compiled.error());
      return ExitCode::usage;
    }
    const auto code = explain(phase, evidences, context, list);
    if (code == ExitCode::failed) return code;
    if (code != ExitCode::done) worst = code;
  }
  context.out().value(list);
  return worst;
}

}  // namespace relab::controller::cli
