#include "controller/gates/approval.h"

#include "common/needs/approval.h"
#include "common/needs/needs.h"

namespace relab::controller {

std::vector<Deed> deeds_of(const PhasePlan& plan, const Evidences& evidences) {
  std::vector<Deed> deeds;
  const auto settled = settled_deeds(plan.name, evidences);
  for (const auto& track : plan.tracks)
    for (const auto& step : track) {
      if (!step.destructive || settled.contains(step.path)) continue;
      auto& deed = deeds.emplace_back(Deed{.step = step, .needs = judge_needs(step, evidences)});
      for (const auto* evidence : deed.needs.evidence)
        for (auto& victim :
             needs::victims(step.task->reader(), evidence->report.reader().getFacts()))
          deed.victims.push_back(std::move(victim));
    }
  return deeds;
}

std::set<std::string> hosts_of(const std::vector<Deed>& deeds) {
  std::set<std::string> hosts;
  for (const auto& deed : deeds) hosts.insert(deed.step.agent);
  return hosts;
}

Message<schema::Approval> approval_of(const PhasePlan& plan, const std::vector<Deed>& deeds,
                                      std::chrono::seconds valid_for, const Evidences& evidences) {
  Draft<schema::Approval> approval;
  const auto& state = evidences.state;
  approval->setLab(state.lab());
  approval->setPhase(plan.name);
  approval->setPlanDigest(blob(plan_digest(plan)));
  approval->setIssuedAt(unix_millis(evidences.now));
  approval->setNotAfter(unix_millis(evidences.now + valid_for));
  auto steps = approval->initSteps(static_cast<unsigned>(deeds.size()));
  for (unsigned i = 0; i < steps.size(); ++i) {
    const auto& deed = deeds[i];
    steps[i].setStep(deed.step.path);
    steps[i].setAudience(blob(state.agents().at(deed.step.agent).party.sign_key));
    steps[i].setTaskDigest(blob(needs::digest_of(deed.step.task->reader())));
    auto evidence = steps[i].initEvidence(static_cast<unsigned>(deed.needs.evidence.size()));
    for (unsigned j = 0; j < evidence.size(); ++j)
      evidence.set(j, blob(deed.needs.evidence[j]->digest));
  }
  approval->setEvidenceDigest(blob(needs::digest_of_evidence(approval->asReader().getSteps())));
  const auto hosts = hosts_of(deeds);
  auto typed = approval->initTyped(static_cast<unsigned>(hosts.size()));
  unsigned i = 0;
  for (const auto& host : hosts) typed.set(i++, host);
  return std::move(approval).finish();
}

}  // namespace relab::controller
