#pragma once

/// What became of the attempts to restore a copy for practice.

#include <string>

#include "controller/gates/gate.h"

namespace relab::controller {

/// What a verification of either kind found.
template <typename Use>
auto with_facts(schema::Facts::Reader facts, const Use& use) {
  return facts.isZfsPoolBackupVerify() ? use(facts.getZfsPoolBackupVerify())
                                       : use(facts.getZfsBackupVerify());
}

/// Its report tells that it wrote, and not only that it found what was asked for.
bool has_written(const TaskRecord& task, const std::string& arm);

/// Why the last trial of the copy that this task has read back failed; empty: it did not, or there
/// was none. That a later task reads the copy back without one takes nothing back.
std::string failed_trial(const Evidences& evidences, const TaskRecord& verify);

}  // namespace relab::controller
