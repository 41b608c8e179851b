// What an order for a kind with needs must bring along. Nothing here believes the controller: a
// report counts because this agent made it, and because it has made no newer one since.

#include <algorithm>
#include <fmt/format.h>

#include "agent/guard/guard.h"
#include "agent/kinds/kind.h"
#include "common/needs/approval.h"
#include "common/needs/needs.h"
#include "common/reflect/notes.h"
#include "common/reflect/resource.h"

namespace relab::agent {

namespace {

using schema::Refusal;

/// How far the clocks of a controller and an agent may be apart before approvals do not count.
constexpr auto clock_allowance = std::chrono::hours(1);

/// Empty if the report shows that the need holds.
std::string judge_evidence(const needs::Need& need, ByteView envelope, schema::Order::Reader order,
                           const Terms& terms, crypto::Digest& digest) {
  const auto report = open_signed<schema::Report>(envelope, terms.keys.sign_key());
  if (!report) return "what the order brings as evidence is no report of this agent";
  digest = report->second.digest;
  const auto newest = terms.newest_report(need.arm, reflect::resource_of(order.getTask()));
  if (!newest) return "the journal does not tell what was reported last: " + newest.error().what;
  if (!*newest || (*newest)->digest != digest)
    return "there is a newer report than the one that the order brings";
  if ((*newest)->outdated)
    return "what the report shows may not be so any more: a task that destroys was begun on it "
           "since";
  const auto reader = report->first.reader();
  return needs::judge(need, order.getTask(), reader,
                      {.lab = terms.lab,
                       .machine_id = terms.machine_id,
                       .taken = instant_of(reader.getStartedAt()),
                       .now = terms.now})
      .why;
}

Refused check_needs(const std::vector<std::string>& names, schema::Order::Reader order,
                    const Terms& terms, std::vector<crypto::Digest>& digests) {
  if (order.getEvidence().size() != names.size())
    return {Refusal::NEED_UNMET,
            fmt::format("this task needs evidence of {}; the order brings {} report(s)",
                        fmt::join(names, ", "), order.getEvidence().size())};
  for (unsigned i = 0; i < names.size(); ++i) {
    const auto* need = needs::find(names[i]);
    if (need == nullptr)
      return {Refusal::NEED_UNMET, fmt::format("nothing here can judge '{}'", names[i])};
    crypto::Digest digest{};
    if (auto why = judge_evidence(*need, view(order.getEvidence()[i]), order, terms, digest);
        !why.empty())
      return {Refusal::NEED_UNMET, fmt::format("{}: {}", names[i], why)};
    digests.push_back(digest);
  }
  return {};
}

/// Empty if it is approved.
std::string judge_approval(schema::Order::Reader order, const std::vector<crypto::Digest>& evidence,
                           const Terms& terms) {
  const auto opening = open_frame(view(order.getApproval()), message_size_max,
                                  [&](const auto& key) { return terms.pinned(key); });
  if (!opening.opened) return "the order brings no approval that a pinned controller signed";
  const auto approval = opening.opened->as<schema::Approval>();
  if (!approval) return approval.error().what;
  // Both times are by the controller's clock, which may have been turned to let an old approval
  // count.
  if (instant_of(approval->reader().getNotAfter()) + clock_allowance < terms.now)
    return fmt::format("by the clock of this agent the approval expired at {}, it is {} now",
                       iso8601(instant_of(approval->reader().getNotAfter())), iso8601(terms.now));
  return needs::judge_approval(approval->reader(), {.lab = terms.lab,
                                                    .step = view(order.getStep()),
                                                    .host = terms.name,
                                                    .audience = terms.keys.sign_key(),
                                                    .task = needs::digest_of(order.getTask()),
                                                    .evidence = evidence,
                                                    // It was made by the same clock.
                                                    .now = instant_of(order.getIssuedAt())});
}

}  // namespace

Refused check_grounds(schema::Order::Reader order, const Terms& terms) {
  if (order.getMode() == schema::Mode::CHECK) return {};
  const auto notes = reflect::notes_of_kind(arm_of(order.getTask()));
  std::vector<crypto::Digest> evidence;
  if (auto refused = check_needs(notes.needs, order, terms, evidence);
      refused.reason != Refusal::NONE)
    return refused;
  if (!notes.destructive) return {};
  // What destroys on no evidence at all was approved on nothing.
  if (evidence.empty()) return {Refusal::NEED_UNMET, "this kind destroys, and needs no evidence"};
  if (auto why = judge_approval(order, evidence, terms); !why.empty())
    return {Refusal::NOT_APPROVED, std::move(why)};
  return {};
}

}  // namespace relab::agent
