#pragma once

/// Secrets into orders.

#include "common/crypto/keys.h"
#include "controller/secrets/uses.h"
#include "schema/wire.capnp.h"

namespace relab::controller {

/// Puts the secrets that the order's task names into it, each sealed to that key for this task of
/// this lab. Sealing draws at random: two orders for one task differ.
Result<void> seal_secrets(schema::Order::Builder order, const crypto::PublicKey& seal_key,
                          const SecretSource& source);

}  // namespace relab::controller
