#pragma once

/// The agent's side of an enrolment: for as long as a one-time code lives, its holder may become
/// the controller.

#include <filesystem>
#include <functional>
#include <string>

#include "common/base/result.h"
#include "common/base/signals.h"
#include "common/base/time.h"
#include "common/crypto/enrol_code.h"
#include "common/crypto/identity.h"

namespace relab::agent {

struct EnrolRequest {
  std::filesystem::path state_dir;
  std::string endpoint;
  std::string name;
  std::string role;
  /// How long the code lives.
  std::chrono::seconds patience;
  /// Called once the door is open: the moment to show the code.
  std::function<Result<void>()> ready;
};

/// What came of it.
struct Enrolment {
  Party controller;
  std::string lab;
};

/// Waits at the endpoint for the holder of the code. After success the controller is pinned
/// durably; after any failure nothing has changed. Fault::cancelled if nobody came in time or a
/// signal asked for the end.
Result<Enrolment> await_enrolment(const EnrolRequest& request, const crypto::EnrolCode& code,
                                  const Signals& signals);

}  // namespace relab::agent
