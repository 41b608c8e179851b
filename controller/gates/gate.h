#pragma once

/// Gates: named predicates over evidence, which decide whether a phase may begin.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/id.h"
#include "common/base/time.h"
#include "controller/state/state.h"
#include "schema/lab.capnp.h"

namespace relab::controller {

/// Where evidence comes from.
struct Origin {
  std::string agent;
  TaskId task;
  /// Of the report's payload bytes; none if the task came to no report.
  std::optional<crypto::Digest> digest = {};
  /// When the task ended, by the agent's clock, or was let go, by ours.
  Instant ended = {};
  bool operator==(const Origin&) const = default;
};

Origin origin_of(const TaskRecord& task);

/// What one look at the evidence gave.
struct Finding {
  /// What was looked at: "zfs of z640".
  std::string subject = {};
  schema::Standing standing = schema::Standing::MISSING;
  std::string why = {};
  /// The command that would supply what is missing.
  std::string supply = {};
  std::optional<Origin> origin = {};
  /// A person may take it upon himself even before something is overwritten.
  bool excusable = false;

  bool met() const { return standing == schema::Standing::MET; }
};

/// "met", "missing", "stale", "contradicted", "unmet".
std::string_view name(schema::Standing standing);

struct Verdict {
  std::string condition;
  /// The phase that the condition is about: that of the gate, or one before it.
  std::string of = {};
  std::vector<Finding> findings = {};
  /// Nobody can waive it.
  bool absolute = false;
  /// The reason that a person gave for going on although it is not met; empty if nobody did.
  std::string waived = {};

  /// Every finding is met. One without findings has looked at nothing.
  bool met() const;
  bool passes() const { return met() || !waived.empty(); }
  /// What a waiver of this covers: each finding that is not met, with its standing and why; of one
  /// that is stale, with the report that is. Once anything else is so, it covers nothing.
  std::vector<std::string> unmet() const;
};

/// What is looked at.
struct Evidences {
  schema::Lab::Reader lab;
  const State& state;
  Instant now;
  /// Those that are stored now.
  SecretTimes secrets = {};
};

/// One condition of the lab over the evidence. A predicate that this version does not have is not
/// met, and the verdict says so with the nearest name.
Verdict judge(schema::Lab::Condition::Reader condition, const Evidences& evidences);

/// The names of all predicates.
std::vector<std::string> predicates();

/// `phase.complete`: every step that the lab file gives this phase has succeeded in its last run,
/// by the agent that is enrolled now or on the host that it was before the plan reinstalled it, and
/// that run has ended. A phase without steps is never complete.
Verdict phase_complete(schema::Lab::Phase::Reader phase, const Evidences& evidences);

/// Steps that destroy something and were done, as the lab file asks for it now, with the task that
/// did: they are neither asked for nor ordered once more.
std::map<std::string, const TaskRecord*> settled_deeds(const std::string& phase,
                                                       const Evidences& evidences);

/// The gate of a phase: its own conditions; and that each phase before it (`after`, and theirs) is
/// complete, and has proven what it must. What is not met may be waived by a signed word of a
/// person, which covers one condition of one gate, for a time, as it stood then; never what is
/// absolute, by the lab file or by itself. Before a phase that overwrites something only a pool
/// that is degraded and a copy that was not tried may be waived.
struct Gate {
  std::string phase;
  bool open = false;
  std::vector<Verdict> verdicts;
};

/// Whether the first step of the phase may start.
Result<Gate> judge_entry(const std::string& name, const Evidences& evidences);
/// Whether the phase has shown what it must show before any phase after it may start.
Result<Gate> judge_proof(const std::string& name, const Evidences& evidences);
/// What the gates right behind a phase still miss: "1: backup.verified, key.proven".
std::vector<std::string> open_behind(const std::string& name, const Evidences& evidences);

/// `audit.complete`: for every host of the lab, every section of the audit was read, whole, by the
/// agent that is enrolled now, on the machine that it was enrolled on, not longer ago than
/// `max_age`; what is absent is not declared, and what is declared was seen.
Verdict audit_complete(const Evidences& evidences, std::chrono::seconds max_age);

}  // namespace relab::controller
