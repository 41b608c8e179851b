#include <fmt/format.h>

#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/cli/run_part.h"
#include "controller/cli/show_gate.h"

namespace relab::controller::cli {

namespace po = boost::program_options;

namespace {

RunManner manner_of(const Values& values) {
  return {.patience = std::chrono::seconds(values["patience"].as<unsigned>()),
          .packages = values["packages"].as<std::string>()};
}

/// Of `run` and `attach`.
void declare_manner(po::options_description& options) {
  auto add = options.add_options();
  add("patience", patience_value(30),
      "seconds that an agent may be away before its tracks are parked, and that a person has");
  add("packages", po::value<std::string>()->default_value("", "packages, beside lab.toml"),
      "the folder of packages that agents of hosts install in guests");
}

/// Whether every step of the phase has succeeded and what it must show is shown.
bool is_done(const std::string& phase, const Evidences& evidences) {
  for (const auto candidate : evidences.lab.getPlan().getPhases()) {
    if (view(candidate.getName()) != phase) continue;
    const auto proof = judge_proof(phase, evidences);
    return phase_complete(candidate, evidences).met() && proof && proof->open;
  }
  return false;
}

bool has_steps(schema::Lab::Reader lab, const std::string& phase) {
  const auto plan = compile_phase(lab, phase);
  return plan && plan->step_count() != 0;
}

/// Several parts, one after the other, with one exit code and one value.
class Journey {
 public:
  Journey(Context& context, OpenedLab& opened, const Message<schema::Lab>& lab, RunManner manner)
      : context_(context),
        opened_(opened),
        lab_(lab),
        runner_(context, opened, lab, std::move(manner)) {}

  /// False if somebody asked to leave.
  bool go(const Part& part, Purpose purpose) { return take(runner_.run(part, purpose)); }
  bool attach(const RunId& run) { return take(runner_.attach(run)); }
  /// False if that failed, or somebody asked to leave.
  bool close_orphans() {
    const auto closed = runner_.close_orphans();
    if (closed) return true;
    return take({.code = closed.error().fault == Fault::cancelled
                             ? ExitCode::detached
                             : context_.failed(closed.error())}) &&
           false;
  }
  bool take(PartEnd end) {
    code_ = worse(code_, end.code);
    if (!end.value.is_null()) values_.push_back(std::move(end.value));
    return end.code != ExitCode::detached;
  }
  /// As far as the gates allow, phase by phase. What waits behind a closed gate that only lacks
  /// phases before it is not looked at.
  void go_through(const std::vector<std::string>& phases) {
    for (const auto& phase : phases) {
      if (is_done(phase, evidences())) {
        context_.out().note(fmt::format("phase {} is done", phase));
        continue;
      }
      if (!comes_next(phase)) continue;
      if (!has_steps(lab_.reader(), phase)) {
        context_.out().line(
            fmt::format("Phase {} has no steps in lab.toml: nothing goes beyond it.", phase));
        code_ = worse(code_, ExitCode::gate_closed);
        continue;
      }
      if (!go({.phase = phase}, Purpose::apply)) return;
    }
  }
  void check_all(const std::vector<std::string>& phases) {
    bool any = false;
    for (const auto& phase : phases) {
      if (!has_steps(lab_.reader(), phase)) {
        context_.out().note(fmt::format("phase {} has no steps in lab.toml", phase));
        continue;
      }
      any = true;
      if (!go({.phase = phase}, Purpose::check)) return;
    }
    if (!any)
      code_ = context_.failed({.fault = Fault::unsupported,
                               .what = "no phase has steps in lab.toml: nothing was checked"});
  }
  /// The gate that was aimed at decides.
  void arrive(const std::string& phase) {
    if (code_ == ExitCode::detached || code_ == ExitCode::failed) return;
    const auto gate = judge_entry(phase, evidences());
    if (!gate) {
      code_ = context_.failed(gate.error());
      return;
    }
    if (const auto recorded = runner_.record_gate(*gate); !recorded) {
      code_ = context_.failed(recorded.error());
      return;
    }
    show(*gate, fmt::format("Gate of {}", phase), context_.out());
    values_.push_back({{"phase", phase}, {"gate", to_json(*gate)}});
    code_ = gate->open ? ExitCode::done : worse(code_, ExitCode::gate_closed);
  }
  ExitCode code() const { return code_; }
  const nlohmann::json& values() const { return values_; }
  Evidences evidences() const { return context_.evidences(lab_.reader(), opened_.book.state()); }

 private:
  /// Every phase before it is done; or its gate is open all the same, since that was waived.
  bool comes_next(const std::string& phase) const {
    if (const auto gate = judge_entry(phase, evidences()); gate && gate->open) return true;
    for (const auto candidate : lab_.reader().getPlan().getPhases())
      if (view(candidate.getName()) == phase)
        for (const auto before : candidate.getAfter())
          if (!is_done(str(before), evidences())) return false;
    return true;
  }

  Context& context_;
  OpenedLab& opened_;
  const Message<schema::Lab>& lab_;
  PartRunner runner_;
  ExitCode code_ = ExitCode::done;
  nlohmann::json values_ = nlohmann::json::array();
};

/// What the command line asks for.
struct Wish {
  std::optional<Part> part;
  std::string until;
  bool check = false;
};

Result<Wish> wish_of(const Values& values, schema::Lab::Reader lab) {
  Wish wish{.part = {}, .until = {}, .check = values.count("check") != 0};
  if (const auto word = argument_of(values, 0); !word.empty()) {
    RELAB_TRY(wish.part, find_part(lab, word));
  }
  if (values.count("until") == 0) return wish;
  wish.until = values["until"].as<std::string>();
  RELAB_TRY(const auto aim, compile_phase(lab, wish.until));
  if (wish.part)
    return fail(Fault::invalid, "--until goes with no phase: it names where to stop",
                fmt::format("usage: relab run --until {}", aim.name));
  return wish;
}

ExitCode carry_out(const Wish& wish, const Message<schema::Lab>& lab, Journey& journey,
                   Context& context) {
  if (!wish.check && !journey.close_orphans()) return journey.code();
  if (wish.part) {
    journey.go(*wish.part, wish.check ? Purpose::check : Purpose::apply);
    if (!journey.values().empty()) context.out().value(journey.values().front());
    return journey.code();
  }
  auto phases = phases_in_order(lab.reader(), wish.until);
  if (!wish.until.empty()) phases.pop_back();  // the last is the one at whose gate to stop
  if (wish.check)
    journey.check_all(phases);
  else
    journey.go_through(phases);
  if (!wish.until.empty() && !wish.check) journey.arrive(wish.until);
  context.out().value({{"phases", journey.values()}});
  return journey.code();
}

}  // namespace

void declare_run(po::options_description& options) {
  auto add = options.add_options();
  add("check", "change nothing; print what would be changed. Gates do not matter");
  add("until", po::value<std::string>()->value_name("PHASE"),
      "run what the gate of this phase waits for, and stop there");
  declare_manner(options);
}

ExitCode run(const Values& values, Context& context) {
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  const auto wish = wish_of(values, lab->reader());
  if (!wish) {
    context.out().error(wish.error());
    return ExitCode::usage;
  }
  auto opened = open_lab(context, lab->reader(), wish->part ? "run " + wish->part->text() : "run");
  if (!opened) return context.failed(opened.error());
  Journey journey(context, *opened, *lab, manner_of(values));
  return carry_out(*wish, *lab, journey, context);
}

void declare_attach(po::options_description& options) { declare_manner(options); }

ExitCode attach(const Values& values, Context& context) {
  const auto lab = context.lab();
  if (!lab) return ExitCode::usage;
  auto opened = open_lab(context, lab->reader(), "attach");
  if (!opened) return context.failed(opened.error());
  Journey journey(context, *opened, *lab, manner_of(values));
  const bool any = !opened->book.state().open_runs().empty();
  if (!journey.close_orphans()) return journey.code();
  for (const auto& phase : phases_in_order(lab->reader())) {
    std::vector<RunId> runs;
    for (const auto* open : opened->book.state().open_runs(phase)) runs.push_back(open->id);
    for (const auto& run : runs)
      if (!journey.attach(run)) return journey.code();
  }
  if (!any) context.out().line("No run is open: there is nothing to carry on with.");
  context.out().value({{"phases", journey.values()}});
  return journey.code();
}

}  // namespace relab::controller::cli
