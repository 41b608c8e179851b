#pragma once

/// Decides whether an opened envelope is an order that this agent, in this session, may carry out.

#include <string>
#include <variant>

#include "agent/guard/role.h"
#include "common/base/id.h"
#include "common/base/time.h"
#include "common/crypto/identity.h"
#include "common/wire/envelope.h"

namespace relab::agent {

using Nonce = std::array<std::uint8_t, 16>;

/// An order that passed every check but those that need the journal.
struct Admission {
  Message<schema::Order> order;
  TaskId id;
  /// Of the order's payload bytes: what the report will be bound to.
  crypto::Digest order_digest;
  /// Of what is to be done, the same in every order for the same attempt at the same task.
  crypto::Digest task_digest;
};

/// An order by a pinned controller that this agent declines; the reason goes back.
struct Denial {
  schema::Refusal reason;
  std::string what;
  Bytes task_id;
  crypto::Digest order_digest;
};

/// What an order is checked against.
struct Terms {
  std::string_view lab;
  const crypto::PublicKey& audience;
  const Nonce& nonce;
  const RoleLimits& role;
  Instant now;
};

/// Audience, session, expiry, lab, kind, limits: in this order, each with its own reason.
std::variant<Admission, Denial> check_order(const Opened& opened, const Terms& terms);

/// Of what an order asks for, without what changes from one sending to the next.
crypto::Digest task_digest(schema::Order::Reader order);

}  // namespace relab::agent
