#include "controller/gates/testimony.h"

#include <algorithm>
#include <capnp/dynamic.h>
#include <fmt/format.h>

#include "common/reflect/secrets.h"
#include "common/reflect/union.h"

namespace relab::controller {

namespace {

using schema::Standing;

bool succeeded_before(const Evidences& evidences, const Question& question) {
  return std::ranges::any_of(evidences.state.tasks(), [&](const auto& known) {
    const auto& task = known.second;
    return task.agent == question.agent && task.arm == question.arm && !task.check &&
           !task.open() && (!question.about || question.about(task.order.reader().getTask())) &&
           failure_of(task).empty();
  });
}

std::string judge_age(const TaskRecord& task, const Evidences& evidences,
                      std::chrono::seconds max_age) {
  // Nothing was read before it was ordered, and that time is by our own clock.
  const auto age = evidences.now - task.ordered;
  if (age < Millis(0))
    return fmt::format("it was ordered at {}, which is in the future: was the clock set back?",
                       iso8601(task.ordered));
  if (age > max_age) return fmt::format("it is {} old, older than {}", human(age), human(max_age));
  return {};
}

struct Opinion {
  Standing standing = Standing::MET;
  std::string why = {};
};

Opinion judge_task(const TaskRecord& task, const AgentRecord& agent, const Evidences& evidences,
                   const Question& question) {
  if (auto failure = failure_of(task); !failure.empty())
    return succeeded_before(evidences, question)
               ? Opinion{Standing::CONTRADICTED, "a later attempt failed: " + std::move(failure)}
               : Opinion{Standing::UNMET, "it failed: " + std::move(failure)};
  const auto& evidence = *task.evidence;
  if (evidence.signer != agent.party.sign_key ||
      view(evidence.report.reader().getMachineId()) != agent.party.machine_id)
    return {Standing::MISSING,
            "the evidence is of another machine than the one that is enrolled now"};
  if (auto old = judge_age(task, evidences, question.max_age); !old.empty())
    return {Standing::STALE, std::move(old)};
  return {};
}

}  // namespace

std::string failure_of(const TaskRecord& task) {
  // A report may still come after nobody waited for it: what was found counts.
  if (!task.evidence)
    return task.refusal.empty() ? task.abandoned : "the agent refused the order: " + task.refusal;
  const auto report = task.evidence->report.reader();
  if (report.getOutcome() != schema::Outcome::SUCCEEDED)
    return report.getFailure().getWhat().size() == 0 ? "its report has no success"
                                                     : str(report.getFailure().getWhat());
  if (reflect::member_of(capnp::toDynamic(report.getFacts())) != task.arm)
    return "the report carries the facts of another kind";
  return {};
}

void Testimony::refute(std::string why) {
  finding.standing = Standing::UNMET;
  finding.why = std::move(why);
}

void Testimony::confirm(std::string why) {
  finding.why = std::move(why);
  finding.supply.clear();
}

schema::Coverage::Reader coverage_of(schema::Facts::Reader facts) {
  const auto root = capnp::toDynamic(facts);
  const auto section = root.get(kj::StringPtr(std::string(reflect::member_of(root)).c_str()))
                           .as<capnp::DynamicStruct>();
  return section.get("coverage").as<schema::Coverage>();
}

std::string in_words(capnp::List<schema::Gap>::Reader gaps) {
  std::string text;
  for (unsigned i = 0; i < std::min(gaps.size(), 3U); ++i)
    text +=
        fmt::format("{}{}: {}", i == 0 ? "" : "; ", str(gaps[i].getPart()), str(gaps[i].getWhy()));
  if (gaps.size() > 3) text += fmt::format("; and {} more", gaps.size() - 3);
  return text;
}

std::string unread_in(schema::Facts::Reader facts) {
  const auto problems = coverage_of(facts).getProblems();
  return problems.size() == 0 ? std::string() : "it was not read whole: " + in_words(problems);
}

std::string secret_concern(const Evidences& evidences, const TaskRecord& task) {
  for (const auto& name : reflect::secrets_of(task.order.reader().getTask())) {
    const auto stored = evidences.secrets.find(name);
    if (stored == evidences.secrets.end())
      return fmt::format("the secret '{}' is not stored any more", name);
    const auto used = task.secrets.find(name);
    if (used == task.secrets.end() || used->second != stored->second)
      return fmt::format("the secret '{}' is another one since", name);
  }
  return {};
}

Testimony hear(const Evidences& evidences, const Question& question) {
  Testimony heard{.finding = {.subject = question.subject, .supply = question.supply}};
  auto& finding = heard.finding;
  const auto enrolled = evidences.state.agents().find(question.agent);
  if (enrolled == evidences.state.agents().end()) {
    finding.why = fmt::format("no agent '{}' is enrolled", question.agent);
    finding.supply = fmt::format("relab enrol {}", question.agent);
    return heard;
  }
  const auto* task = evidences.state.last_ended(question.agent, question.arm, question.about);
  if (task == nullptr) {
    finding.why = question.never;
    return heard;
  }
  finding.origin = origin_of(*task);
  auto opinion = judge_task(*task, enrolled->second, evidences, question);
  finding.standing = opinion.standing;
  finding.why = std::move(opinion.why);
  if (finding.met()) heard.task = task;
  return heard;
}

}  // namespace relab::controller
