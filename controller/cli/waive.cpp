#include "controller/cli/waive.h"

#include <fmt/format.h>

#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/cli/run_part.h"
#include "controller/cli/show_gate.h"
#include "controller/gates/waiver.h"
#include "controller/lab/units.h"

namespace relab::controller::cli {

namespace po = boost::program_options;

namespace {

constexpr std::int64_t longest = std::int64_t{7} * 86'400;

Result<WaiverWish> wish_of(const Values& values) {
  if (values.count("reason") == 0)
    return fail(Fault::invalid, "a waiver needs a reason: it stands in the ledger for good",
                "usage: relab gate waive PHASE --reason TEXT");
  const auto span = values["for"].as<std::string>();
  const auto seconds = lab::parse_quantity(span, "seconds");
  if (!seconds || *seconds < 1 || *seconds > longest)
    return fail(Fault::invalid,
                fmt::format("--for takes a time of at most 7d, such as \"24h\", not '{}'", span));
  return WaiverWish{.reason = values["reason"].as<std::string>(),
                    .valid_for = std::chrono::seconds(*seconds)};
}

Result<void> record(const std::vector<Message<schema::Waiver>>& waivers, const std::string& phase,
                    OpenedLab& opened, const Evidences& evidences) {
  for (const auto& waiver : waivers)
    RELAB_CHECK(opened.book.waived(sign(opened.keys, waiver).bytes()));
  RELAB_TRY(const auto gate, judge_entry(phase, evidences));
  RELAB_CHECK(opened.book.judged(gate));
  return opened.book.checkpoint(opened.keys);
}

}  // namespace

void declare_waive(po::options_description& options) {
  auto add = options.add_options();
  add("reason", po::value<std::string>()->value_name("TEXT"),
      "waive: why the phase may begin all the same");
  add("for", po::value<std::string>()->value_name("TIME")->default_value("24h"),
      "waive: how long that holds, at most 7d");
}

ExitCode waive(const Values& values, Context& context) {
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto phase = argument_of(values, 1);
  const auto wish = wish_of(values);
  const auto plan = compile_phase(lab->reader(), phase);
  if (phase.empty() || !wish || !plan) {
    context.out().error(phase.empty() ? Error{.fault = Fault::invalid,
                                              .what = "the gate of which phase?",
                                              .hint = "usage: relab gate waive PHASE --reason TEXT"}
                        : !wish       ? wish.error()
                                      : plan.error());
    return ExitCode::usage;
  }
  auto opened = open_lab(context, lab->reader(), "gate waive " + phase);
  if (!opened) return context.failed(opened.error());
  const auto evidences = context.evidences(lab->reader(), opened->book.state());
  const auto gate = judge_entry(phase, evidences);
  if (!gate) return context.failed(gate.error());
  const auto waivers = waivers_for(*gate, *wish, evidences);
  if (!waivers) return context.failed(waivers.error());
  if (const auto recorded = record(*waivers, phase, *opened, evidences); !recorded)
    return context.failed(recorded.error());
  const auto waived = judge_entry(phase, evidences);
  if (!waived) return context.failed(waived.error());
  show(*waived, fmt::format("Gate of {}", phase), context.out());
  context.out().value({{"phase", phase}, {"entry", to_json(*waived)}});
  return waived->open ? ExitCode::done : ExitCode::gate_closed;
}

}  // namespace relab::controller::cli
