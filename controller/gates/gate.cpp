#include "controller/gates/gate.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "common/base/text.h"
#include "controller/gates/key_proof.h"
#include "controller/gates/pool_proofs.h"
#include "controller/gates/waiver.h"
#include "controller/lab/additions.h"
#include "controller/survival/fates.h"

namespace relab::controller {

namespace {

struct Predicate {
  std::string_view name;
  Verdict (*judge)(const Evidences&, std::chrono::seconds max_age);
  /// Nobody can waive it, whatever the lab file says.
  bool absolute = false;
};

constexpr Predicate table[] = {
    {.name = "audit.complete", .judge = audit_complete},
    {.name = "backup.drilled", .judge = backup_drilled},
    {.name = "backup.verified", .judge = backup_verified, .absolute = true},
    {.name = "data.survives", .judge = data_survives},
    {.name = "key.proven", .judge = key_proven},
    {.name = "pools.intact", .judge = pools_intact}};

using Phase = schema::Lab::Phase::Reader;

Result<Phase> find_phase(schema::Lab::Reader lab, std::string_view name) {
  for (const auto phase : lab.getPlan().getPhases())
    if (view(phase.getName()) == name) return phase;
  return fail(Fault::missing,
              fmt::format("the lab '{}' has no phase '{}'", str(lab.getName()), name));
}

/// All that is not met may be taken upon himself by a person.
bool is_excusable(const Verdict& verdict) {
  return std::ranges::all_of(
      verdict.findings, [](const Finding& finding) { return finding.met() || finding.excusable; });
}

/// Which waivers count: those of whatever is not absolute, none, or only those of what a person may
/// excuse before something is overwritten.
enum class Waivers { heeded, unheeded, excuses };

/// Puts a gate together, verdict by verdict.
class Assembly {
 public:
  Assembly(std::string phase, const Evidences& evidences, Waivers waivers)
      : evidences_(evidences),
        gate_{.phase = std::move(phase), .open = true, .verdicts = {}},
        waivers_(waivers) {}

  void add(Verdict verdict, const std::string& of) {
    verdict.of = of;
    verdict.absolute = verdict.absolute || (waivers_ == Waivers::excuses && !is_excusable(verdict));
    if (!verdict.met() && !verdict.absolute && waivers_ != Waivers::unheeded)
      verdict.waived = waived(gate_.phase, verdict, evidences_);
    gate_.open = gate_.open && verdict.passes();
    gate_.verdicts.push_back(std::move(verdict));
  }
  void add_all(const capnp::List<schema::Lab::Condition>::Reader& conditions,
               const std::string& of) {
    for (const auto condition : conditions) add(judge(condition, evidences_), of);
  }
  const Evidences& evidences() const { return evidences_; }
  Gate take() && { return std::move(gate_); }

 private:
  const Evidences& evidences_;
  Gate gate_;
  Waivers waivers_;
};

/// A name that this version does not have may be that of something absolute, mistyped or newer.
bool is_absolute(schema::Lab::Condition::Reader condition) {
  const auto known = std::ranges::find(table, view(condition.getName()), &Predicate::name);
  return condition.getAbsolute() || known == std::end(table) || known->absolute;
}

bool any_absolute(const capnp::List<schema::Lab::Condition>::Reader& conditions) {
  return any_in(conditions, is_absolute);
}

/// That a phase is complete is as absolute as what it has to show, as what it may not begin
/// without, and as what it destroys: whoever passes it by would pass by that, too.
Verdict judge_complete(Phase phase, const Evidences& evidences) {
  auto verdict = phase_complete(phase, evidences);
  verdict.absolute =
      any_absolute(phase.getProves()) || any_absolute(phase.getGate()) || lab::is_guarded(phase);
  return verdict;
}

/// By what it is known again. How old it is changes with every look; which report it is does not.
std::string ground_of(const Finding& finding) {
  if (finding.standing != schema::Standing::STALE || !finding.origin) return finding.why;
  return fmt::format("the report {} of {}",
                     finding.origin->digest ? hex(*finding.origin->digest) : "none",
                     finding.origin->task.text());
}

Result<void> judge_before(Phase phase, std::set<std::string>& seen, Assembly& gate) {
  for (const auto name : phase.getAfter()) {
    if (!seen.insert(str(name)).second) continue;
    RELAB_TRY(const auto before, find_phase(gate.evidences().lab, view(name)));
    RELAB_CHECK(judge_before(before, seen, gate));
    gate.add(judge_complete(before, gate.evidences()), str(name));
    gate.add_all(before.getProves(), str(name));
  }
  return {};
}

}  // namespace

std::string_view name(schema::Standing standing) {
  switch (standing) {
    case schema::Standing::MET:
      return "met";
    case schema::Standing::MISSING:
      return "missing";
    case schema::Standing::STALE:
      return "stale";
    case schema::Standing::CONTRADICTED:
      return "contradicted";
    case schema::Standing::UNMET:
    case schema::Standing::UNSET:
      break;
  }
  return "unmet";
}

Origin origin_of(const TaskRecord& task) {
  Origin origin{.agent = task.agent, .task = task.id, .digest = {}, .ended = task.ordered};
  if (!task.evidence) return origin;
  origin.digest = task.evidence->digest;
  origin.ended = instant_of(task.evidence->report.reader().getEndedAt());
  return origin;
}

bool Verdict::met() const {
  return !findings.empty() && std::ranges::all_of(findings, &Finding::met);
}

std::vector<std::string> Verdict::unmet() const {
  std::vector<std::string> unmet;
  for (const auto& finding : findings)
    if (!finding.met())
      unmet.push_back(
          fmt::format("{}: {}: {}", finding.subject, name(finding.standing), ground_of(finding)));
  return unmet;
}

std::vector<std::string> predicates() {
  std::vector<std::string> names;
  for (const auto& predicate : table) names.emplace_back(predicate.name);
  return names;
}

Verdict judge(schema::Lab::Condition::Reader condition, const Evidences& evidences) {
  const auto wanted = str(condition.getName());
  Verdict verdict{.condition = wanted};
  const auto known = std::ranges::find(table, wanted, &Predicate::name);
  if (known != std::end(table)) {
    verdict = known->judge(evidences, std::chrono::seconds(condition.getMaxAge()));
  } else {
    const auto names = predicates();
    const auto near = nearest(wanted, names);
    verdict.findings = {
        {.subject = wanted,
         .why = fmt::format(
             "this version cannot judge it{}",
             near.empty() ? std::string() : fmt::format("; did you mean '{}'?", near))}};
  }
  verdict.absolute = is_absolute(condition);
  return verdict;
}

Result<Gate> judge_entry(const std::string& name, const Evidences& evidences) {
  RELAB_TRY(const auto phase, find_phase(evidences.lab, name));
  Assembly gate(name, evidences, lab::is_guarded(phase) ? Waivers::excuses : Waivers::heeded);
  std::set<std::string> seen = {name};
  RELAB_CHECK(judge_before(phase, seen, gate));
  gate.add_all(phase.getGate(), name);
  return std::move(gate).take();
}

Result<Gate> judge_proof(const std::string& name, const Evidences& evidences) {
  RELAB_TRY(const auto phase, find_phase(evidences.lab, name));
  // What it must show, it must show: the gate behind it may be waived, by its own name.
  Assembly gate(name, evidences, Waivers::unheeded);
  gate.add_all(phase.getProves(), name);
  return std::move(gate).take();
}

std::vector<std::string> open_behind(const std::string& name, const Evidences& evidences) {
  std::vector<std::string> open;
  for (const auto phase : evidences.lab.getPlan().getPhases()) {
    if (!any_in(phase.getAfter(), [&](auto before) { return view(before) == name; })) continue;
    const auto gate = judge_entry(str(phase.getName()), evidences);
    if (!gate) open.push_back(fmt::format("{}: {}", view(phase.getName()), gate.error().what));
    if (!gate || gate->open) continue;
    std::vector<std::string> missed;
    for (const auto& verdict : gate->verdicts)
      // A phase may have to show what the gate behind it asks for again.
      if (!verdict.met() && std::ranges::find(missed, verdict.condition) == missed.end())
        missed.push_back(verdict.condition);
    open.push_back(fmt::format("{}: {}", view(phase.getName()), fmt::join(missed, ", ")));
  }
  return open;
}

}  // namespace relab::controller
