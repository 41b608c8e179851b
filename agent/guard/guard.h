#pragma once

/// Decides whether an opened envelope is an order that this agent, in this session, may carry out.

#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "agent/guard/role.h"
#include "agent/host/secrets.h"
#include "agent/journal/journal.h"
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

/// What an order is checked against: this agent, as it is now.
struct Terms {
  std::string_view lab;
  /// Its name, and the machine that it is on.
  std::string_view name;
  std::string_view machine_id;
  /// Its own: it is known by the one that signs, and opens secrets with another.
  const crypto::Keys& keys;
  const Nonce& nonce;
  const RoleLimits& role;
  Instant now;
  /// Whether the journal has this task: then it is answered, and nothing is begun.
  std::function<bool(ByteView task)> known;
  /// Whether a controller with this signing key is pinned.
  std::function<bool(const crypto::PublicKey& key)> pinned;
  /// Its newest report on a task of that kind, as evidence about this resource; nothing if there is
  /// none.
  std::function<Result<std::optional<Newest>>(std::string_view arm, std::string_view resource)>
      newest_report;
};

/// Audience, session, expiry, lab, kind, limits, and for a task that is not known yet secrets,
/// evidence and approval: in this order, each with its own reason.
std::variant<Admission, Denial> check_order(const Opened& opened, const Terms& terms);

/// Of what an order asks for, without what changes from one sending to the next.
crypto::Digest task_digest(schema::Order::Reader order);

struct Refused {
  schema::Refusal reason = schema::Refusal::NONE;
  std::string what = {};
};

/// The secrets that an order brings, opened. Fault::refused unless they are those that its task
/// names, each once, and were sealed to these keys for this task.
Result<Secrets> open_secrets(schema::Order::Reader order, const crypto::Keys& keys);

/// What has to hold when a task is begun, however long it waited since it was admitted. An order
/// for a kind with needs carries one report for each, made by this agent on this machine, its
/// newest of that kind, and not too old by its own clock; for a kind that destroys, also the
/// approval of a person, by way of a pinned controller, of exactly this task on exactly these
/// reports. A check needs nothing, for it changes nothing.
Refused check_grounds(schema::Order::Reader order, const Terms& terms);

}  // namespace relab::agent
