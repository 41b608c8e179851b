#include <fmt/format.h>
#include <iostream>
#include <set>
#include <unistd.h>

#include "common/base/text.h"
#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/cli/run_part.h"
#include "controller/gates/approval.h"
#include "controller/lab/units.h"

namespace relab::controller::cli {

namespace po = boost::program_options;

namespace {

constexpr std::int64_t longest = 86'400;

void show(const Deed& deed, Printer& out) {
  out.line(fmt::format("  {}: {} on {}", deed.step.path, deed.step.arm, deed.step.agent));
  for (const auto& victim : deed.victims)
    out.line(fmt::format("    {} {}", out.bad("DESTROYS"), Printer::harmless(victim)));
  for (const auto& finding : deed.needs.findings)
    out.line(fmt::format("    {:12} {}: {}{}", name(finding.standing), finding.subject,
                         Printer::harmless(finding.why),
                         finding.origin ? ", task " + finding.origin->task.text() : ""));
}

/// What keeps a phase from being approved; it is printed.
std::optional<ExitCode> hindrance(const std::string& phase, const std::vector<Deed>& deeds,
                                  const Evidences& evidences, Context& context) {
  if (deeds.empty())
    return context.failed(
        {.fault = Fault::conflict,
         .what = fmt::format("phase {} destroys nothing: there is nothing to approve", phase)});
  std::set<std::string> supplies;
  bool met = true;
  for (const auto& deed : deeds)
    for (const auto& finding : deed.needs.findings) {
      met = met && finding.met();
      if (!finding.supply.empty()) supplies.insert(finding.supply);
    }
  for (const auto& supply : supplies) context.out().line("  supply what is missing: " + supply);
  if (!met) {
    context.out().line("Nothing was approved: what it would be approved on is not there.");
    return ExitCode::gate_closed;
  }
  const auto gate = judge_entry(phase, evidences);
  if (!gate) return context.failed(gate.error());
  if (!gate->open) {
    context.out().line(fmt::format(
        "Nothing was approved: the gate of {} is shut; `relab gate {}` tells why.", phase, phase));
    return ExitCode::gate_closed;
  }
  for (const auto& deed : deeds)
    if (deed.victims.empty())
      return context.failed(
          {.fault = Fault::unsupported,
           .what = fmt::format("nobody can tell what {} would destroy: it cannot be approved",
                               deed.step.path)});
  return {};
}

/// Every name, as a person types it at a terminal.
Result<void> ask_for(const std::set<std::string>& hosts) {
  if (::isatty(STDIN_FILENO) == 0)
    return fail(Fault::refused, "an approval takes a person at a terminal",
                "run it by hand, not from a script");
  for (const auto& host : hosts) {
    std::cerr << fmt::format("Type the name of the host to let this happen on it: ") << std::flush;
    std::string typed;
    if (!std::getline(std::cin, typed) || typed != host)
      return fail(Fault::refused,
                  fmt::format("'{}' is not '{}': nothing was approved", clean_text(typed), host));
  }
  return {};
}

Result<std::chrono::seconds> validity(const Values& values) {
  const auto span = values["for"].as<std::string>();
  const auto seconds = lab::parse_quantity(span, "seconds");
  if (!seconds || *seconds < 1 || *seconds > longest)
    return fail(Fault::invalid,
                fmt::format("--for takes a time of at most 24h, such as \"1h\", not '{}'", span));
  return std::chrono::seconds(*seconds);
}

nlohmann::json value_of(const std::vector<Deed>& deeds, bool approved) {
  auto steps = nlohmann::json::array();
  for (const auto& deed : deeds) {
    auto evidence = nlohmann::json::array();
    for (const auto* report : deed.needs.evidence) evidence.push_back(hex(report->digest));
    steps.push_back({{"step", deed.step.path},
                     {"agent", deed.step.agent},
                     {"destroys", deed.victims},
                     {"evidence", std::move(evidence)}});
  }
  return {{"approved", approved}, {"steps", std::move(steps)}};
}

ExitCode approve_plan(const PhasePlan& plan, std::chrono::seconds valid_for,
                      schema::Lab::Reader lab, Context& context) {
  auto opened = open_lab(context, lab, "approve " + plan.name);
  if (!opened) return context.failed(opened.error());
  auto& out = context.out();
  const auto evidences = context.evidences(lab, opened->book.state());
  const auto deeds = deeds_of(plan, evidences);
  if (!deeds.empty()) out.line(fmt::format("Phase {}, {}:", plan.name, plan.title));
  for (const auto& deed : deeds) show(deed, out);
  if (const auto hindered = hindrance(plan.name, deeds, evidences, context)) return *hindered;
  if (const auto typed = ask_for(hosts_of(deeds)); !typed) return context.failed(typed.error());
  const auto written = [&]() -> Result<void> {
    const auto approval = approval_of(plan, deeds, valid_for, evidences);
    RELAB_CHECK(opened->book.approved(sign(opened->keys, approval).bytes()));
    return opened->book.checkpoint(opened->keys);
  }();
  if (!written) return context.failed(written.error());
  out.line(fmt::format("Approved for {}, for exactly this plan on exactly this evidence.",
                       human(valid_for)));
  out.value(value_of(deeds, true));
  return ExitCode::done;
}

}  // namespace

void declare_approve(po::options_description& options) {
  options.add_options()("for", po::value<std::string>()->value_name("TIME")->default_value("1h"),
                        "how long the approval holds, at most 24h");
}

ExitCode approve(const Values& values, Context& context) {
  const auto phase = argument_of(values, 0);
  if (phase.empty()) {
    context.out().error({.fault = Fault::invalid,
                         .what = "approve what?",
                         .hint = "usage: relab approve PHASE; `relab plan` shows the phases"});
    return ExitCode::usage;
  }
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto valid_for = validity(values);
  const auto plan = compile_phase(lab->reader(), phase);
  if (!valid_for || !plan) {
    context.out().error(valid_for ? plan.error() : valid_for.error());
    return ExitCode::usage;
  }
  return approve_plan(*plan, *valid_for, lab->reader(), context);
}

}  // namespace relab::controller::cli
