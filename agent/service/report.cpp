#include "agent/service/report.h"

#include "common/base/text.h"
#include "common/base/version.h"

namespace relab::agent {

Message<schema::Receipt> receipt(const ReceiptParts& parts) {
  Draft<schema::Receipt> draft;
  draft->setTaskId(blob(parts.task));
  draft->setOrderDigest(blob(parts.order_digest));
  draft->setRefusal(parts.refusal);
  draft->setWhat(clean_text(parts.what));
  draft->setState(parts.state);
  return std::move(draft).finish();
}

Message<schema::Report> make_report(const TaskEnd& end, const JournalRow& row,
                                    const Origin& origin) {
  Draft<schema::Report> draft;
  if (const auto order = Message<schema::Order>::parse(row.order)) {
    draft->setLab(order->reader().getLab());
    draft->setRun(order->reader().getRun());
    draft->setAttempt(order->reader().getAttempt());
    draft->setMode(order->reader().getMode());
  }
  draft->setTaskId(blob(end.id.bytes));
  draft->setOrderDigest(blob(row.order_digest));
  draft->setMachineId(origin.machine_id);
  draft->setBootId(origin.boot_id);
  draft->setStartedAt(unix_millis(end.started));
  draft->setEndedAt(unix_millis(end.ended));
  draft->setOutcome(end.outcome);
  if (end.outcome != schema::Outcome::SUCCEEDED) {
    auto failure = draft->initFailure();
    failure.setFault(std::string(name(end.failure.fault)));
    failure.setWhat(clean_text(end.failure.sentence()));
    failure.setHint(clean_text(end.failure.hint));
  }
  if (end.facts) draft->setFacts(end.facts->reader());
  auto changes = draft->initChanges(static_cast<unsigned>(end.changes.size()));
  for (unsigned i = 0; i < changes.size(); ++i) changes.set(i, clean_text(end.changes[i]));
  auto log = draft->initLog(static_cast<unsigned>(end.log.size()));
  for (unsigned i = 0; i < log.size(); ++i) log.set(i, clean_text(end.log[i]));
  draft->setVersion(std::string(version));
  return std::move(draft).finish();
}

std::string_view words_of(schema::Outcome outcome) {
  switch (outcome) {
    case schema::Outcome::UNSET:
      return "unset";
    case schema::Outcome::SUCCEEDED:
      return "succeeded";
    case schema::Outcome::FAILED:
      return "failed";
    case schema::Outcome::REFUSED:
      return "refused";
    case schema::Outcome::CANCELLED:
      return "cancelled";
    case schema::Outcome::UNKNOWN:
      return "unknown";
  }
  return "unknown";
}

}  // namespace relab::agent
