#pragma once

/// What the newest task of a kind says, and whether it counts as evidence: by which agent, of which
/// machine, how old.

#include "controller/gates/gate.h"
#include "schema/coverage.capnp.h"

namespace relab::controller {

struct Testimony {
  /// Met if the report counts; what it says is for the caller to judge.
  Finding finding;
  /// Null: nothing counts.
  const TaskRecord* task = nullptr;

  schema::Facts::Reader facts() const { return task->evidence->report.reader().getFacts(); }
  /// It counts, and speaks against what is asked for.
  void refute(std::string why);
  /// It counts, and shows what is asked for.
  void confirm(std::string why);
};

/// Which words are asked for.
struct Question {
  /// "zfs of z640".
  std::string subject;
  std::string agent;
  /// The task kind.
  std::string arm;
  About about = {};
  std::chrono::seconds max_age;
  /// The command that would supply it, and what is so without any: "it was never read".
  std::string supply;
  std::string never;
};

/// Why a task that has ended shows no success; empty: it does.
std::string failure_of(const TaskRecord& task);

/// Not met: the agent is not enrolled, nothing was ever done, the newest one failed or is of
/// another machine, or it is too old by our own clock.
Testimony hear(const Evidences& evidences, const Question& question);

/// What a section of the audit says of its own completeness.
schema::Coverage::Reader coverage_of(schema::Facts::Reader facts);
/// The first few, and how many more there are.
std::string in_words(capnp::List<schema::Gap>::Reader gaps);
/// What of a section exists and could not be read; empty: nothing.
std::string unread_in(schema::Facts::Reader facts);

/// Why what was done with the secrets of an order says nothing of those that are stored now; empty:
/// they are the same.
std::string secret_concern(const Evidences& evidences, const TaskRecord& task);

}  // namespace relab::controller
