#pragma once

/// What a person's approval binds, on both sides of the wire.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "common/crypto/hash.h"
#include "common/crypto/keys.h"
#include "schema/task.capnp.h"
#include "schema/wire.capnp.h"

namespace relab::needs {

/// BLAKE2b-256 of the canonical encoding of the task.
crypto::Digest digest_of(schema::Task::Reader task);

/// BLAKE2b-256 over the digests of all evidence of all steps, one after the other.
crypto::Digest digest_of_evidence(
    capnp::List<schema::ApprovedStep, capnp::Kind::STRUCT>::Reader steps);

/// What is to be done, by whom, on what evidence.
struct Deed {
  std::string_view lab;
  std::string_view step;
  /// The name of the host that a person has to have typed.
  std::string_view host;
  const crypto::PublicKey& audience;
  crypto::Digest task;
  /// Of the reports, in the order of the needs.
  std::span<const crypto::Digest> evidence;
  /// When it is ordered, by the clock of the controller, which made the approval.
  Instant now;
};

/// Empty if the approval covers the deed; else why not.
std::string judge_approval(schema::Approval::Reader approval, const Deed& deed);

}  // namespace relab::needs
