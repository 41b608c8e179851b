#include <fmt/format.h>

#include "common/base/text.h"
#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/cli/show_secrets.h"
#include "controller/gates/gate.h"
#include "controller/plan/plan.h"

namespace relab::controller::cli {

namespace {

nlohmann::json to_json(const lab::Mistake& mistake) {
  return {{"file", mistake.file}, {"line", mistake.line}, {"column", mistake.column},
          {"key", mistake.key},   {"what", mistake.what}, {"hint", mistake.hint}};
}

/// Conditions that this version cannot judge keep their gates shut: better told now than then.
void tell_unknown_conditions(schema::Lab::Reader lab, Printer& out) {
  const auto known = predicates();
  const auto tell = [&](std::string_view phase, const auto& conditions) {
    for (const auto condition : conditions)
      if (const auto name = str(condition.getName());
          std::find(known.begin(), known.end(), name) == known.end()) {
        const auto near = nearest(name, known);
        out.note(fmt::format(
            "note: phase {}: this version cannot judge '{}'{}; that gate stays shut, "
            "and nobody can waive it",
            phase, name, near.empty() ? " yet" : fmt::format(" (did you mean '{}'?)", near)));
      }
  };
  for (const auto phase : lab.getPlan().getPhases()) {
    tell(view(phase.getName()), phase.getGate());
    tell(view(phase.getName()), phase.getProves());
  }
}

/// What nobody calls an installation asks for no proof.
void tell_no_installation(schema::Lab::Reader lab, Printer& out) {
  const bool has_system = any_in(
      lab.getDisks(), [](auto disk) { return disk.getRole() == schema::Lab::Disk::Role::OS; });
  const bool installs =
      any_in(lab.getPlan().getPhases(), [](auto phase) { return phase.getInstalls().size() != 0; });
  if (has_system && !installs)
    out.note(
        "note: no phase says with `installs` that it installs a host anew: if one does, its "
        "gate does not ask for the proofs that your data survives it");
}

}  // namespace

ExitCode check(const Values& values, Context& context) {
  const auto given = argument_of(values, 0);
  const auto file = given.empty() ? context.globals().lab_file : given;
  const auto reading = lab::read_lab(file);
  auto mistakes = nlohmann::json::array();
  for (const auto& mistake : reading.mistakes) {
    mistakes.push_back(to_json(mistake));
    context.out().line(lab::to_string(mistake));
  }
  const bool good = reading.mistakes.empty() && reading.lab;
  context.out().value({{"file", file}, {"valid", good}, {"mistakes", mistakes}});
  if (!good) {
    context.out().line(fmt::format("{}: {} mistake{}", file, reading.mistakes.size(),
                                   reading.mistakes.size() == 1 ? "" : "s"));
    return ExitCode::usage;
  }
  const auto lab = reading.lab->reader();
  tell_unknown_conditions(lab, context.out());
  tell_no_installation(lab, context.out());
  context.out().line(
      fmt::format("{}: the lab '{}' is well described: {} host(s), {} guest(s), {} disk(s), {} "
                  "pool(s), {} phase(s)",
                  file, str(lab.getName()), lab.getHosts().size(), lab.getGuests().size(),
                  lab.getDisks().size(), lab.getPools().size(), lab.getPlan().getPhases().size()));
  show_secrets(context, lab, secret_users(lab));
  return ExitCode::done;
}

}  // namespace relab::controller::cli
