#include <algorithm>
#include <capnp/dynamic.h>
#include <fmt/format.h>

#include "common/reflect/notes.h"
#include "common/reflect/union.h"
#include "controller/gates/declared.h"
#include "controller/gates/gate.h"
#include "controller/gates/testimony.h"
#include "schema/coverage.capnp.h"

namespace relab::controller {

namespace {

constexpr auto run_again = "relab run 0a";

/// The arm of the Task union that is this section of the audit.
std::string arm_of_section(const std::string& section) {
  for (const auto field : reflect::choices(capnp::Schema::from<schema::Task>()))
    if (reflect::notes_of(field).audit == section) return field.getProto().getName().cStr();
  return {};
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
    auto heard = hear(evidences_, {.subject = fmt::format("{} of {}", section, agent),
                                   .agent = agent,
                                   .arm = arm_of_section(section),
                                   .max_age = max_age_,
                                   .supply = run_again,
                                   .never = "it was never read"});
    if (heard.task == nullptr) return std::move(heard.finding);
    if (auto missing = missing_in(heard.facts(), section); !missing.empty())
      heard.refute(std::move(missing));
    else
      heard.confirm(met_words(*heard.task));
    return std::move(heard.finding);
  }

 private:
  /// Empty: everything is in it.
  std::string missing_in(schema::Facts::Reader facts, const std::string& section) const {
    const auto coverage = coverage_of(facts);
    if (auto unread = unread_in(facts); !unread.empty()) return unread;
    const auto declared = declared_.find(section);
    if (coverage.getAbsent().size() != 0 && declared != declared_.end())
      return fmt::format("{}, but lab.toml declares it: {}", str(coverage.getAbsent()),
                         declared->second);
    if (coverage.getAbsent().size() != 0) return {};
    return fmt::format(
        "{}", fmt::join(unseen(evidences_.lab, host_, section, facts, guests(), pools()), "; "));
  }

  /// Nothing while no look at them counts: then their own section keeps the gate shut.
  AuditedGuests guests() const {
    const auto heard = other("guests");
    if (heard.task == nullptr) return {};
    return heard.facts().getAuditGuests();
  }
  AuditedPools pools() const {
    const auto heard = other("zfs");
    if (heard.task == nullptr) return {};
    return heard.facts().getAuditZfs();
  }
  Testimony other(const std::string& section) const {
    return hear(evidences_, {.subject = section,
                             .agent = str(host_.getName()),
                             .arm = arm_of_section(section),
                             .max_age = max_age_,
                             .supply = run_again,
                             .never = "it was never read"});
  }

  std::string met_words(const TaskRecord& task) const {
    const auto coverage = coverage_of(task.evidence->report.reader().getFacts());
    const auto absent = str(coverage.getAbsent());
    const auto age = human(evidences_.now - task.ordered);
    if (!absent.empty()) return fmt::format("absent: {}; not declared; read {} ago", absent, age);
    if (coverage.getParts().size() == 0) return fmt::format("read {} ago", age);
    return fmt::format("read {} ago, without what is not here: {}", age,
                       in_words(coverage.getParts()));
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
