#pragma once

/// Signed statements of who somebody is: three public keys bound to each other.

#include <string>

#include "common/crypto/keys.h"
#include "common/wire/envelope.h"

namespace relab {

/// A verified identity.
struct Party {
  schema::Role role;
  std::string name;
  crypto::PublicKey sign_key;
  crypto::PublicKey curve_key;
  crypto::PublicKey seal_key;
  std::string machine_id;
  std::string agent_role;
  /// The exact signed statement.
  Bytes statement;
};

/// What a party says of itself, beside its keys.
struct Introduction {
  schema::Role role;
  std::string name;
  std::string machine_id = {};
  std::string agent_role = {};
};

Bytes state_identity(const crypto::Keys& keys, const Introduction& introduction);

/// Checks that the statement is signed by the very key that it states. Whether to trust that key is
/// the caller's business.
Result<Party> read_identity(ByteView statement, schema::Role expected);

}  // namespace relab
