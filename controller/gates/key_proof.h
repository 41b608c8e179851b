#pragma once

/// The predicate over the keys of what must outlive an installation.

#include "controller/gates/gate.h"

namespace relab::controller {

/// `key.proven`: ZFS has opened the master key of every encrypted data pool with the key that is
/// stored now.
Verdict key_proven(const Evidences& evidences, std::chrono::seconds max_age);

}  // namespace relab::controller
