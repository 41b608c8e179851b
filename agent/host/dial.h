#pragma once

/// Tries whether a TCP connection comes about.

#include <stop_token>

#include "agent/host/host.h"

namespace relab::agent {

/// As `Host::connect` says; Fault::cancelled once it is to stop.
Result<Reached> dial(const Endpoint& endpoint, Millis timeout, const std::stop_token& stop);

}  // namespace relab::agent
