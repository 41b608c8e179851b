#pragma once

/// The predicate over the keys of what must outlive an installation.

#include "controller/gates/gate.h"

namespace relab::controller {

/// `key.proven`: ZFS has opened the master keys of every encrypted data pool, and of every dataset
/// on it that the audit saw with a key of its own, with the keys that are stored now.
Verdict key_proven(const Evidences& evidences, std::chrono::seconds max_age);

}  // namespace relab::controller
