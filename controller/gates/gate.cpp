#include "controller/gates/gate.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "common/base/text.h"

namespace relab::controller {

namespace {

struct Predicate {
  std::string_view name;
  Verdict (*judge)(const Evidences&, std::chrono::seconds max_age);
};

constexpr Predicate table[] = {{"audit.complete", audit_complete}};

using Phase = schema::Lab::Phase::Reader;

Result<Phase> find_phase(schema::Lab::Reader lab, std::string_view name) {
  for (const auto phase : lab.getPlan().getPhases())
    if (view(phase.getName()) == name) return phase;
  return fail(Fault::missing,
              fmt::format("the lab '{}' has no phase '{}'", str(lab.getName()), name));
}

void add(Verdict verdict, Gate& gate) {
  gate.open = gate.open && verdict.met;
  gate.verdicts.push_back(std::move(verdict));
}

void judge_all(const capnp::List<schema::Lab::Condition>::Reader& conditions,
               const Evidences& evidences, Gate& gate) {
  for (const auto condition : conditions) add(judge(condition, evidences), gate);
}

Result<void> judge_before(Phase phase, const Evidences& evidences, std::set<std::string>& seen,
                          Gate& gate) {
  for (const auto name : phase.getAfter()) {
    if (!seen.insert(str(name)).second) continue;
    RELAB_TRY(const auto before, find_phase(evidences.lab, view(name)));
    RELAB_CHECK(judge_before(before, evidences, seen, gate));
    add(phase_complete(before, evidences), gate);
    judge_all(before.getProves(), evidences, gate);
  }
  return {};
}

}  // namespace

std::vector<std::string> predicates() {
  std::vector<std::string> names;
  for (const auto& predicate : table) names.emplace_back(predicate.name);
  return names;
}

Verdict judge(schema::Lab::Condition::Reader condition, const Evidences& evidences) {
  for (const auto& predicate : table)
    if (predicate.name == view(condition.getName()))
      return predicate.judge(evidences, std::chrono::seconds(condition.getMaxAge()));
  const auto name = str(condition.getName());
  const auto known = predicates();
  const auto near = nearest(name, known);
  return {
      .condition = name,
      .met = false,
      .findings = {{.subject = name,
                    .why = fmt::format("this version cannot judge it{}",
                                       near.empty() ? std::string()
                                                    : fmt::format("; did you mean '{}'?", near))}}};
}

Result<Gate> judge_entry(const std::string& name, const Evidences& evidences) {
  RELAB_TRY(const auto phase, find_phase(evidences.lab, name));
  Gate gate{.phase = name, .open = true, .verdicts = {}};
  std::set<std::string> seen = {name};
  RELAB_CHECK(judge_before(phase, evidences, seen, gate));
  judge_all(phase.getGate(), evidences, gate);
  return gate;
}

Result<Gate> judge_proof(const std::string& name, const Evidences& evidences) {
  RELAB_TRY(const auto phase, find_phase(evidences.lab, name));
  Gate gate{.phase = name, .open = true, .verdicts = {}};
  judge_all(phase.getProves(), evidences, gate);
  return gate;
}

}  // namespace relab::controller
