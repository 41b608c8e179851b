#include "controller/gates/gate.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/text.h"
#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/cli/show_gate.h"
#include "controller/cli/waive.h"
#include "controller/gates/clearance.h"
#include "controller/plan/plan.h"
#include "controller/run/book.h"

namespace relab::controller::cli {

namespace {

nlohmann::json finding_json(const Finding& finding) {
  nlohmann::json json = {{"subject", finding.subject},
                         {"met", finding.met()},
                         {"standing", std::string(name(finding.standing))},
                         {"why", finding.why}};
  if (!finding.supply.empty()) json["supply"] = finding.supply;
  if (!finding.origin) return json;
  json["agent"] = finding.origin->agent;
  json["task"] = finding.origin->task.text();
  json["ended"] = iso8601(finding.origin->ended);
  if (finding.origin->digest) json["digest"] = hex(*finding.origin->digest);
  return json;
}

nlohmann::json verdict_json(const Verdict& verdict) {
  auto findings = nlohmann::json::array();
  for (const auto& finding : verdict.findings) findings.push_back(finding_json(finding));
  nlohmann::json json = {{"condition", verdict.condition},
                         {"of", verdict.of},
                         {"met", verdict.met()},
                         {"absolute", verdict.absolute},
                         {"findings", std::move(findings)}};
  if (!verdict.waived.empty()) json["waived"] = verdict.waived;
  return json;
}

std::string opinion(const Verdict& verdict, Printer& out) {
  if (verdict.met()) return out.good("met");
  if (!verdict.waived.empty())
    return fmt::format("{}, WAIVED: {}", out.bad("not met"), Printer::harmless(verdict.waived));
  return out.bad("not met") + (verdict.absolute ? ", and nobody can waive it" : "");
}

std::string words_of(const Origin& origin) {
  return fmt::format("from {}, task {}, {}, {}", origin.agent, origin.task.text(),
                     iso8601(origin.ended),
                     origin.digest ? "report " + hex(*origin.digest) : "without a report");
}

void show_supplies(const Gate& gate, Printer& out) {
  std::vector<std::string> supplies;
  for (const auto& verdict : gate.verdicts)
    for (const auto& finding : verdict.findings)
      if (!finding.met() && !finding.supply.empty() &&
          std::find(supplies.begin(), supplies.end(), finding.supply) == supplies.end())
        supplies.push_back(finding.supply);
  for (const auto& supply : supplies) out.line("  supply what is missing: " + supply);
}

/// Nothing once the phase is complete: what was destroyed then is evidence no more.
Result<Gate> judge_steps(const std::string& phase, const Evidences& evidences) {
  Gate gate{.phase = phase, .open = true, .verdicts = {}};
  for (const auto candidate : evidences.lab.getPlan().getPhases())
    if (view(candidate.getName()) == phase && phase_complete(candidate, evidences).met())
      return gate;
  RELAB_TRY(const auto plan, compile_phase(evidences.lab, phase));
  gate.verdicts = judge_guarded(plan, evidences);
  gate.open = std::ranges::all_of(gate.verdicts, &Verdict::passes);
  return gate;
}

ExitCode explain(const std::string& phase, const Evidences& evidences, Context& context,
                 Detail detail, nlohmann::json& list) {
  const auto sides = judge_sides(phase, evidences);
  if (!sides) return context.failed(sides.error());
  show(sides->entry, fmt::format("Gate of {}", phase), context.out(), detail);
  if (!sides->proof.verdicts.empty())
    show(sides->proof, fmt::format("What {} must show before anything after it", phase),
         context.out(), detail);
  if (!sides->steps.verdicts.empty())
    show(sides->steps, fmt::format("What steps of {} need when their turn comes", phase),
         context.out(), detail);
  list.push_back(to_json(*sides));
  list.back()["phase"] = phase;
  return sides->open() ? ExitCode::done : ExitCode::gate_closed;
}

}  // namespace

nlohmann::json to_json(const Gate& gate) {
  auto conditions = nlohmann::json::array();
  for (const auto& verdict : gate.verdicts) conditions.push_back(verdict_json(verdict));
  return {{"open", gate.open}, {"conditions", std::move(conditions)}};
}

Result<GateSides> judge_sides(const std::string& phase, const Evidences& evidences) {
  RELAB_TRY(auto entry, judge_entry(phase, evidences));
  RELAB_TRY(auto proof, judge_proof(phase, evidences));
  RELAB_TRY(auto steps, judge_steps(phase, evidences));
  return GateSides{.entry = std::move(entry), .proof = std::move(proof), .steps = std::move(steps)};
}

nlohmann::json to_json(const GateSides& sides) {
  return {{"entry", to_json(sides.entry)},
          {"proof", to_json(sides.proof)},
          {"steps", to_json(sides.steps)}};
}

void show(const Gate& gate, const std::string& heading, Printer& out, Detail detail) {
  out.line(fmt::format("{}: {}", heading, gate.open ? out.good("open") : out.bad("CLOSED")));
  if (gate.verdicts.empty()) out.line("  no conditions");
  for (const auto& verdict : gate.verdicts) {
    out.line(fmt::format("  {} of {}: {}", verdict.condition, verdict.of, opinion(verdict, out)));
    for (const auto& finding : verdict.findings) {
      const auto standing = fmt::format("{:12}", name(finding.standing));
      out.line(fmt::format("    {} {:26} {}",
                           finding.met() ? out.good(standing) : out.bad(standing), finding.subject,
                           Printer::harmless(finding.why)));
      if (detail == Detail::origin && finding.origin)
        out.line("                 " + words_of(*finding.origin));
    }
  }
  show_supplies(gate, out);
}

void declare_gate(boost::program_options::options_description& options) { declare_waive(options); }

ExitCode gate(const Values& values, Context& context) {
  if (argument_of(values, 0) == "waive") return waive(values, context);
  if (!argument_of(values, 1).empty() || values.count("reason") != 0 ||
      !values["for"].defaulted()) {
    context.out().error(
        {.fault = Fault::invalid,
         .what = "a gate is explained by the name of its phase alone",
         .hint = "usage: relab gate PHASE, or relab gate waive PHASE --reason TEXT"});
    return ExitCode::usage;
  }
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto wanted = argument_of(values, 0);
  if (!wanted.empty())
    if (const auto compiled = compile_phase(lab->reader(), wanted); !compiled) {
      context.out().error(compiled.error());
      return ExitCode::usage;
    }
  const auto book = context.read_book(str(lab->reader().getName()));
  // Before anything was done a gate says what it will ask for.
  if (!book && book.error().fault != Fault::missing) return context.failed(book.error());
  if (!book) context.out().note(book.error().what + ": nothing is proven");
  const State nothing;
  const auto evidences = context.evidences(lab->reader(), book ? book->state() : nothing);
  auto worst = ExitCode::done;
  auto list = nlohmann::json::array();
  for (const auto& phase : wanted.empty() ? phase_names(lab->reader()) : std::vector{wanted}) {
    const auto code = explain(phase, evidences, context,
                              wanted.empty() ? Detail::standing : Detail::origin, list);
    if (code == ExitCode::failed) return code;
    if (code != ExitCode::done) worst = code;
  }
  context.out().value(list);
  return worst;
}

}  // namespace relab::controller::cli
