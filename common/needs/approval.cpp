#include "common/needs/approval.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/wire/message.h"

namespace relab::needs {

namespace {

bool covers(schema::ApprovedStep::Reader step, const Deed& deed) {
  if (view(step.getStep()) != deed.step ||
      !crypto::equal(view(step.getAudience()), deed.audience) ||
      !crypto::equal(view(step.getTaskDigest()), deed.task))
    return false;
  const auto evidence = step.getEvidence();
  if (evidence.size() != deed.evidence.size()) return false;
  for (unsigned i = 0; i < evidence.size(); ++i)
    if (!crypto::equal(view(evidence[i]), deed.evidence[i])) return false;
  return true;
}

bool names_step(schema::Approval::Reader approval, std::string_view step) {
  return any_in(approval.getSteps(),
                [&](auto approved) { return view(approved.getStep()) == step; });
}

}  // namespace

crypto::Digest digest_of(schema::Task::Reader task) {
  const auto words = capnp::canonicalize(task);
  const auto bytes = words.asBytes();
  return crypto::digest({bytes.begin(), bytes.size()});
}

crypto::Digest digest_of_evidence(
    capnp::List<schema::ApprovedStep, capnp::Kind::STRUCT>::Reader steps) {
  Bytes all;
  for (const auto step : steps)
    for (const auto digest : step.getEvidence())
      all.insert(all.end(), digest.begin(), digest.end());
  return crypto::digest(all);
}

std::string judge_approval(schema::Approval::Reader approval, const Deed& deed) {
  if (view(approval.getLab()) != deed.lab)
    return fmt::format("it was approved for the lab '{}'", str(approval.getLab()));
  if (approval.getNotAfter() < unix_millis(deed.now))
    return fmt::format("the approval expired at {}", iso8601(instant_of(approval.getNotAfter())));
  if (!any_in(approval.getTyped(), [&](auto typed) { return view(typed) == deed.host; }))
    return fmt::format("nobody typed the name '{}' for it", deed.host);
  if (!crypto::equal(view(approval.getEvidenceDigest()), digest_of_evidence(approval.getSteps())))
    return "the approval does not fit its own evidence";
  if (any_in(approval.getSteps(), [&](auto step) { return covers(step, deed); })) return {};
  return names_step(approval, deed.step)
             ? fmt::format(
                   "{} was approved with other parameters, for another agent, or on other "
                   "evidence",
                   deed.step)
             : fmt::format("{} was not approved", deed.step);
}

}  // namespace relab::needs
