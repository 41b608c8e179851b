#pragma once

/// The controller's side of an enrolment.

#include <string>

#include "common/base/signals.h"
#include "common/crypto/enrol_code.h"
#include "controller/run/book.h"

namespace relab::controller {

struct EnrolRequest {
  std::string lab;
  /// The agent's name in lab.toml.
  std::string agent;
  std::string endpoint;
  std::string controller;
  std::chrono::seconds patience;
  /// The same host as before under that name, reinstalled by the plan.
  bool reinstalled = false;
};

/// Meets the holder of the code at the endpoint, exchanges identities, and records the agent's
/// before it confirms. Fault::unreachable if nobody with that code listens there.
Result<Party> enrol(const EnrolRequest& request, const crypto::EnrolCode& code, Book& book,
                    const crypto::Keys& keys, const Signals& signals);

}  // namespace relab::controller
