#include "controller/gates/clearance.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/needs/approval.h"
#include "common/needs/needs.h"
#include "common/reflect/resource.h"
#include "common/reflect/union.h"

namespace relab::controller {

namespace {

void add_text(Bytes& bytes, std::string_view text) {
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.push_back(0);
}

/// The phase whose run makes such evidence of this agent.
std::string supply_of(const std::string& arm, const std::string& agent, schema::Lab::Reader lab) {
  for (const auto phase : lab.getPlan().getPhases())
    for (const auto track : phase.getTracks())
      for (const auto step : track.getSteps())
        if (view(track.getAgent()) == agent &&
            reflect::member_of(capnp::toDynamic(step.getTask())) == arm)
          return fmt::format("relab run {}", str(phase.getName()));
  return {};
}

schema::Standing standing_of(needs::Standing standing) {
  switch (standing) {
    case needs::Standing::met:
      return schema::Standing::MET;
    case needs::Standing::foreign:
      return schema::Standing::MISSING;
    case needs::Standing::stale:
      return schema::Standing::STALE;
    case needs::Standing::unmet:
      break;
  }
  return schema::Standing::UNMET;
}

/// One need of one step over the ledger.
class NeedJudge {
 public:
  NeedJudge(const PlannedStep& step, const Evidences& evidences)
      : step_(step), evidences_(evidences) {}

  /// Sets `found` to the evidence if the need is met.
  Finding judge(const std::string& name, const Evidence*& found) const {
    Finding finding{.subject = fmt::format("{} of {}", name, step_.agent)};
    const auto* need = needs::find(name);
    const auto agent = evidences_.state.agents().find(step_.agent);
    if (need == nullptr || agent == evidences_.state.agents().end()) {
      finding.why = need == nullptr ? "this version cannot judge it"
                                    : fmt::format("no agent '{}' is enrolled", step_.agent);
      return finding;
    }
    const auto* task = evidences_.state.last_ended(step_.agent, std::string(need->arm));
    if (task == nullptr || !task->evidence ||
        task->evidence->signer != agent->second.party.sign_key) {
      finding.why = task == nullptr ? "it was never looked at"
                                    : "what was asked last has no report of the agent that is "
                                      "enrolled now";
      if (task != nullptr) finding.origin = origin_of(*task);
      return finding;
    }
    finding.origin = origin_of(*task);
    return opinion(*need, *task, agent->second, std::move(finding), found);
  }

 private:
  Finding opinion(const needs::Need& need, const TaskRecord& task, const AgentRecord& agent,
                  Finding finding, const Evidence*& found) const {
    const auto judged = needs::judge(need, step_.task->reader(), task.evidence->report.reader(),
                                     {.lab = evidences_.state.lab(),
                                      .machine_id = agent.party.machine_id,
                                      .taken = task.ordered,
                                      .now = evidences_.now});
    const auto resource = reflect::resource_of(step_.task->reader());
    if (const auto* deed =
            evidences_.state.destroyer_after(task.first_ordered, step_.agent, resource, step_.path);
        judged.met() && deed != nullptr) {
      finding.standing = schema::Standing::STALE;
      finding.why = fmt::format("{} was ordered for {} since", deed->arm, resource);
      if (deed->open()) finding.supply = fmt::format("relab cancel {}", deed->id.text());
      return finding;
    }
    finding.standing = standing_of(judged.standing);
    finding.why = judged.met() ? std::string(need.says) : judged.why;
    if (!judged.met()) return finding;
    found = &*task.evidence;
    return finding;
  }

  const PlannedStep& step_;
  const Evidences& evidences_;
};

Cleared waiting_for(Wait wait, std::string why) {
  return {.clearance = {.wait = wait, .why = std::move(why)}};
}

std::string words_of(const Finding& finding) {
  return fmt::format("{}: {}, {}{}", finding.subject, name(finding.standing), finding.why,
                     finding.supply.empty() ? "" : "; supply it: " + finding.supply);
}

/// The newest approval of this plan that covers the step; otherwise why the newest one does not.
const Bytes* find_approval(const PlannedStep& step, const crypto::Digest& plan,
                           const std::vector<const Evidence*>& evidence, const Evidences& evidences,
                           std::string& why) {
  const auto& state = evidences.state;
  std::vector<crypto::Digest> digests;
  digests.reserve(evidence.size());
  for (const auto* report : evidence) digests.push_back(report->digest);
  const auto& audience = state.agents().at(step.agent).party.sign_key;
  const auto phase = phase_of(step.path);
  why = "nobody has approved of it";
  for (const auto& statement : state.approvals()) {
    const auto approval = statement.message.reader();
    if (view(approval.getPhase()) != phase) continue;
    why = !crypto::equal(view(approval.getPlanDigest()), plan)
              ? "the plan was changed since it was approved"
          : approval.getIssuedAt() > unix_millis(evidences.now)
              ? "it was approved in the future: was the clock set back?"
              : needs::judge_approval(approval, {.lab = state.lab(),
                                                 .step = step.path,
                                                 .host = step.agent,
                                                 .audience = audience,
                                                 .task = needs::digest_of(step.task->reader()),
                                                 .evidence = digests,
                                                 .now = evidences.now});
    if (why.empty()) return &statement.envelope;
  }
  return nullptr;
}

Finding judge_approved(const PlannedStep& step, const crypto::Digest& plan,
                       const NeedsJudged& judged, const Evidences& evidences) {
  Finding finding{.subject = fmt::format("approval of {}", step.path)};
  if (!judged.met()) {
    finding.why = "it is asked for once the evidence is there";
    return finding;
  }
  if (find_approval(step, plan, judged.evidence, evidences, finding.why) != nullptr) {
    finding.standing = schema::Standing::MET;
    finding.why = "a person approved of exactly this";
    return finding;
  }
  finding.supply = fmt::format("relab approve {}", phase_of(step.path));
  return finding;
}

}  // namespace

crypto::Digest plan_digest(const PhasePlan& phase) {
  Bytes all;
  for (const auto& condition : phase.conditions) add_text(all, condition);
  for (const auto& track : phase.tracks)
    for (const auto& step : track) {
      add_text(all, step.path);
      add_text(all, step.agent);
      const auto task = needs::digest_of(step.task->reader());
      all.insert(all.end(), task.begin(), task.end());
      add_text(all, fmt::format("{} {} {}", step.deadline.count(), step.confirm_within.count(),
                                step.patience.count()));
      add_text(all, step.instruction);
    }
  return crypto::digest(all);
}

NeedsJudged judge_needs(const PlannedStep& step, const Evidences& evidences) {
  NeedsJudged judged;
  const NeedJudge judge(step, evidences);
  for (const auto& name : step.needs) {
    const Evidence* found = nullptr;
    auto& finding = judged.findings.emplace_back(judge.judge(name, found));
    if (found != nullptr) judged.evidence.push_back(found);
    if (const auto* need = needs::find(name);
        need != nullptr && !finding.met() && finding.supply.empty())
      finding.supply = supply_of(std::string(need->arm), step.agent, evidences.lab);
  }
  return judged;
}

std::vector<Verdict> judge_guarded(const PhasePlan& phase, const Evidences& evidences) {
  std::vector<Verdict> verdicts;
  const auto settled = settled_deeds(phase.name, evidences);
  for (const auto& track : phase.tracks)
    for (const auto& step : track) {
      if (!step.guarded() || settled.contains(step.path)) continue;
      auto judged = judge_needs(step, evidences);
      Verdict verdict{.condition = step.path, .of = phase.name, .absolute = true};
      verdict.findings = judged.findings;
      if (step.destructive)
        verdict.findings.push_back(judge_approved(step, plan_digest(phase), judged, evidences));
      verdicts.push_back(std::move(verdict));
    }
  return verdicts;
}

Cleared clear(const PlannedStep& step, const crypto::Digest& plan, const Evidences& evidences) {
  auto judged = judge_needs(step, evidences);
  if (!judged.met())
    return waiting_for(Wait::evidence,
                       words_of(*std::ranges::find_if_not(judged.findings, &Finding::met)));
  Cleared cleared{.grounds = {.evidence = std::move(judged.evidence)}};
  if (!step.destructive) return cleared;
  std::string why;
  cleared.grounds.approval = find_approval(step, plan, cleared.grounds.evidence, evidences, why);
  if (cleared.grounds.approval != nullptr) return cleared;
  return waiting_for(Wait::approval, fmt::format("it destroys something, and {}: look at it with "
                                                 "`relab approve {}`",
                                                 why, phase_of(step.path)));
}

}  // namespace relab::controller
