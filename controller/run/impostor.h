#pragma once

/// When an agent's endpoint is answered with another key: whose key is it?

#include <chrono>

#include "common/crypto/keys.h"
#include "controller/run/session.h"
#include "controller/state/state.h"

namespace relab::controller {

/// CURVE never shows the key of whoever answers; so each other key that the ledger knows, old ones
/// included, is tried at the endpoint. Takes up to `patience` for each. The error says which
/// fingerprint was expected and which came.
Error name_impostor(const Session& session, const State& state, const crypto::Keys& keys,
                    std::chrono::milliseconds patience);

}  // namespace relab::controller
