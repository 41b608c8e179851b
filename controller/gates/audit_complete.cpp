#include <algorithm>
#include <capnp/dynamic.h>
#include <fmt/format.h>

#include "common/reflect/notes.h"
#include "common/reflect/union.h"
#include "controller/gates/declared.h"
#include "controller/gates/gate.h"
#include "schema/coverage.capnp.h"

namespace relab::controller {

namespace {

using schema::Standing;

constexpr auto run_again = "relab run 0a";

/// The arm of the Task union that is this section of the audit.
std::string arm_of_section(const std::string& section) {
  for (const auto field : reflect::choices(capnp::Schema::from<schema::Task>()))
    if (reflect::notes_of(field).audit == section) return field.getProto().getName().cStr();
  return {};
}

schema::Coverage::Reader coverage_of(schema::Facts::Reader facts) {
  const auto root = capnp::toDynamic(facts);
  const auto section = root.get(kj::StringPtr(std::string(reflect::member_of(root)).c_str()))
                           .as<capnp::DynamicStruct>();
  return section.get("coverage").as<schema::Coverage>();
}

std::string first_of(capnp::List<schema::Gap>::Reader gaps) {
  std::string text;
  for (unsigned i = 0; i < std::min(gaps.size(), 3U); ++i)
    text +=
        fmt::format("{}{}: {}", i == 0 ? "" : "; ", str(gaps[i].getPart()), str(gaps[i].getWhy()));
  if (gaps.size() > 3) text += fmt::format("; and {} more", gaps.size() - 3);
  return text;
}

class SectionJudge {
 public:
  SectionJudge(const Evidences& evidences, schema::Lab::Host::Reader host,
               std::chrono::seconds max_age)
      : evidences_(evidences),
        host_(host),
        max_age_(max_age),
        declared_(declared_sections(evidences.lab, host)) {}

  Finding judge(const std::string& section) const {
    const auto agent = str(host_.getName());
    Finding finding{.subject = fmt::format("{} of {}", section, agent), .supply = run_again};
    const auto enrolled = evidences_.state.agents().find(agent);
    if (enrolled == evidences_.state.agents().end()) {
      finding.why = fmt::format("no agent '{}' is enrolled", agent);
      finding.supply = fmt::format("relab enrol {}", agent);
      return finding;
    }
    const auto* task = evidences_.state.last_ended(agent, arm_of_section(section));
    if (task == nullptr) {
      finding.why = "it was never read";
      return finding;
    }
    finding.origin = origin_of(*task);
    const auto opinion = judge_task(*task, enrolled->second, section);
    finding.standing = opinion.standing;
    finding.why = opinion.why;
    if (finding.met()) {
      finding.why = met_words(*task);
      finding.supply.clear();
    }
    return finding;
  }

 private:
  struct Opinion {
    Standing standing = Standing::MET;
    std::string why = {};
  };

  Opinion judge_task(const TaskRecord& task, const AgentRecord& agent,
                     const std::string& section) const {
    if (auto failure = failure_of(task); !failure.empty())
      return succeeded_before(task)
                 ? Opinion{Standing::CONTRADICTED, "a later attempt failed: " + std::move(failure)}
                 : Opinion{Standing::UNMET, "it failed: " + std::move(failure)};
    const auto& evidence = *task.evidence;
    if (evidence.signer != agent.party.sign_key ||
        view(evidence.report.reader().getMachineId()) != agent.party.machine_id)
      return {Standing::MISSING,
              "the evidence is of another machine than the one that is enrolled now"};
    if (auto old = judge_age(task); !old.empty()) return {Standing::STALE, std::move(old)};
    return judge_facts(evidence.report.reader().getFacts(), section);
  }

  /// Empty if its report shows what was asked for.
  static std::string failure_of(const TaskRecord& task) {
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

  bool succeeded_before(const TaskRecord& last) const {
    return std::ranges::any_of(evidences_.state.tasks(), [&](const auto& known) {
      const auto& task = known.second;
      return task.agent == last.agent && task.arm == last.arm && !task.check && !task.open() &&
             failure_of(task).empty();
    });
  }

  std::string judge_age(const TaskRecord& task) const {
    // Nothing was read before it was ordered, and that time is by our own clock.
    const auto age = evidences_.now - task.ordered;
    if (age < Millis(0))
      return fmt::format("it was ordered at {}, which is in the future: was the clock set back?",
                         iso8601(task.ordered));
    if (age > max_age_)
      return fmt::format("it is {} old, older than {}", human(age), human(max_age_));
    return {};
  }

  Opinion judge_facts(schema::Facts::Reader facts, const std::string& section) const {
    const auto coverage = coverage_of(facts);
    if (coverage.getProblems().size() != 0)
      return {Standing::UNMET, "it was not read whole: " + first_of(coverage.getProblems())};
    const auto declared = declared_.find(section);
    if (coverage.getAbsent().size() != 0 && declared != declared_.end())
      return {Standing::UNMET, fmt::format("{}, but lab.toml declares it: {}",
                                           str(coverage.getAbsent()), declared->second)};
    if (coverage.getAbsent().size() != 0) return {};
    const auto missing = unseen(evidences_.lab, host_, section, facts);
    if (missing.empty()) return {};
    return {Standing::UNMET, fmt::format("{}", fmt::join(missing, "; "))};
  }

  std::string met_words(const TaskRecord& task) const {
    const auto coverage = coverage_of(task.evidence->report.reader().getFacts());
    const auto absent = str(coverage.getAbsent());
    const auto age = human(evidences_.now - task.ordered);
    if (!absent.empty()) return fmt::format("absent: {}; not declared; read {} ago", absent, age);
    if (coverage.getParts().size() == 0) return fmt::format("read {} ago", age);
    return fmt::format("read {} ago, without what is not here: {}", age,
                       first_of(coverage.getParts()));
  }

  const Evidences& evidences_;
  schema::Lab::Host::Reader host_;
  std::chrono::seconds max_age_;
  std::map<std::string, std::string> declared_;
};

}  // namespace

Verdict audit_complete(const Evidences& evidences, std::chrono::seconds max_age) {
  Verdict verdict{.condition = "audit.complete"};
  for (const auto host : evidences.lab.getHosts()) {
    const SectionJudge judge(evidences, host, max_age);
    for (const auto& section : reflect::audit_sections())
      verdict.findings.push_back(judge.judge(section));
  }
  return verdict;
}

}  // namespace relab::controller
