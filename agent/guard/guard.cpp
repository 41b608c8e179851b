#include "agent/guard/guard.h"

#include <fmt/format.h>

#include "agent/kinds/kind.h"
#include "common/crypto/keys.h"
#include "common/reflect/notes.h"

namespace relab::agent {

namespace {

Refused check_session(schema::Order::Reader order, const Terms& terms) {
  using schema::Refusal;
  if (!crypto::equal(view(order.getAudience()), terms.keys.sign_key()))
    return {Refusal::WRONG_AUDIENCE, "the order is for another agent"};
  if (!crypto::equal(view(order.getNonce()), terms.nonce))
    return {Refusal::WRONG_SESSION,
            "the order was made for another session of this agent: it was sent before, or the "
            "agent restarted"};
  if (order.getNotAfter() < unix_millis(terms.now))
    return {Refusal::EXPIRED,
            fmt::format("the order expired at {}, it is {} here",
                        iso8601(instant_of(order.getNotAfter())), iso8601(terms.now))};
  if (view(order.getLab()) != terms.lab)
    return {Refusal::WRONG_LAB,
            fmt::format("the order is for the lab '{}', this agent belongs to '{}'",
                        str(order.getLab()), terms.lab)};
  return {};
}

Refused check_form(schema::Order::Reader order) {
  using schema::Refusal;
  if (order.getTaskId().size() != 16 || order.getRun().size() != 16)
    return {Refusal::MALFORMED, "the order names no task or no run"};
  if (order.getMode() == schema::Mode::UNSET)
    return {Refusal::MALFORMED, "the order does not say whether to check or to apply"};
  if (order.getDeadline() == 0) return {Refusal::MALFORMED, "the order gives the task no time"};
  return {};
}

Refused check_role(schema::Order::Reader order, const Terms& terms) {
  using schema::Refusal;
  const auto arm = arm_of(order.getTask());
  if (!find_kind(arm))
    return {Refusal::UNKNOWN_KIND, fmt::format("this agent has no task kind '{}'", arm)};
  if (!terms.role.permits_kind(arm))
    return {Refusal::KIND_FORBIDDEN, fmt::format("the role '{}' does not permit the task kind '{}'",
                                                 terms.role.name(), arm)};
  if (const auto within = terms.role.check_limits(order.getTask()); !within)
    return {Refusal::LIMIT_EXCEEDED, within.error().what};
  if (reflect::notes_of_kind(arm).commit_confirmed && order.getMode() == schema::Mode::APPLY &&
      order.getConfirmWithin() == 0)
    return {Refusal::MALFORMED, "the order does not say within which time its change is confirmed"};
  return {};
}

Refused check_all(schema::Order::Reader order, const Terms& terms) {
  auto refused = check_session(order, terms);
  if (refused.reason == schema::Refusal::NONE) refused = check_form(order);
  if (refused.reason == schema::Refusal::NONE) refused = check_role(order, terms);
  if (refused.reason != schema::Refusal::NONE || terms.known(view(order.getTaskId())))
    return refused;
  if (const auto secrets = open_secrets(order, terms.keys); !secrets)
    return {schema::Refusal::SECRET_UNUSABLE, secrets.error().what};
  return check_grounds(order, terms);
}

}  // namespace

crypto::Digest task_digest(schema::Order::Reader order) {
  Draft<schema::Order> same;
  same->setLab(order.getLab());
  same->setRun(order.getRun());
  same->setTaskId(order.getTaskId());
  same->setAttempt(order.getAttempt());
  same->setMode(order.getMode());
  same->setTask(order.getTask());
  const auto message = std::move(same).finish();
  const auto words = capnp::canonicalize(message.reader());
  const auto bytes = words.asBytes();
  return crypto::digest({bytes.begin(), bytes.size()});
}

std::variant<Admission, Denial> check_order(const Opened& opened, const Terms& terms) {
  auto order = opened.as<schema::Order>();
  if (!order)
    return Denial{.reason = schema::Refusal::MALFORMED,
                  .what = order.error().what,
                  .task_id = {},
                  .order_digest = opened.digest};
  const auto reader = order->reader();
  const auto id = view(reader.getTaskId());
  if (auto refused = check_all(reader, terms); refused.reason != schema::Refusal::NONE)
    return Denial{.reason = refused.reason,
                  .what = std::move(refused.what),
                  .task_id = Bytes(id.begin(), id.end()),
                  .order_digest = opened.digest};
  const auto digest = task_digest(reader);
  return Admission{.order = std::move(*order),
                   .id = *TaskId::from(id),
                   .order_digest = opened.digest,
                   .task_digest = digest};
}

}  // namespace relab::agent
