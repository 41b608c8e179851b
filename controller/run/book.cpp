#include "controller/run/book.h"

#include <fmt/format.h>

#include "common/base/text.h"

namespace relab::controller {

Result<Book> Book::open(const std::filesystem::path& path) {
  RELAB_TRY(auto ledger, Ledger::open(path));
  RELAB_TRY(auto state, State::replay(ledger));
  return Book(std::move(ledger), std::move(state));
}

Result<Book> Book::open(std::unique_ptr<EntryStore> store, Clock clock) {
  RELAB_TRY(auto ledger, Ledger::open(std::move(store)));
  RELAB_TRY(auto state, State::replay(ledger));
  return Book(std::move(ledger), std::move(state), std::move(clock));
}

Result<Book> Book::open_read_only(const std::filesystem::path& path) {
  RELAB_TRY(auto ledger, Ledger::open_read_only(path));
  RELAB_TRY(auto state, State::replay(ledger));
  return Book(std::move(ledger), std::move(state));
}

Result<void> Book::write(Draft<schema::Entry> entry) {
  entry->setTime(unix_millis(clock_()));
  const auto message = std::move(entry).finish();
  RELAB_TRY(auto next, ledger_.next(message));
  // First, since an entry that does not replay would make the whole ledger unreadable for good.
  RELAB_CHECK(state_.apply(next));
  return ledger_.append(std::move(next));
}

Result<void> Book::check_owner(const HeadOwner& owner) const {
  if (!state_.controller()) return {};
  if (state_.lab() != owner.lab)
    return fail(Fault::conflict,
                fmt::format("the ledger is of the lab '{}', not '{}'", state_.lab(), owner.lab),
                "give the right --state-dir, or the lab its old name");
  if (state_.controller()->sign_key == owner.key) return {};
  return fail(Fault::conflict,
              fmt::format("the ledger was begun by the controller key {}, this is {}",
                          crypto::fingerprint(state_.controller()->sign_key),
                          crypto::fingerprint(owner.key)),
              "restore the controller's old keys, or begin anew with another --state-dir and "
              "enrol the agents again");
}

Result<void> Book::begin(const crypto::Keys& keys, const std::string& controller,
                         const std::string& lab) {
  if (!state_.controller()) {
    Draft<schema::Entry> entry;
    auto created = entry->initCreated();
    created.setLab(lab);
    created.setIdentity(
        blob(state_identity(keys, {.role = schema::Role::CONTROLLER, .name = controller})));
    return write(std::move(entry));
  }
  return check_owner({.lab = lab, .key = keys.sign_key()});
}

Result<void> Book::enrolled(const Enrolling& enrolling) {
  Draft<schema::Entry> entry;
  auto enrolled = entry->initEnrolled();
  enrolled.setName(enrolling.name);
  enrolled.setEndpoint(enrolling.endpoint);
  enrolled.setIdentity(blob(enrolling.agent.statement));
  enrolled.setReinstalled(enrolling.reinstalled);
  if (enrolling.origin) enrolled.setOrigin(blob(*enrolling.origin));
  return write(std::move(entry));
}

Result<void> Book::removed(const std::string& name, const std::string& reason) {
  Draft<schema::Entry> entry;
  entry->initRemoved().setName(name);
  entry->getRemoved().setReason(clean_text(reason));
  return write(std::move(entry));
}

Result<void> Book::run_started(const RunId& run, const RunWish& wish, ByteView lab) {
  Draft<schema::Entry> entry;
  auto started = entry->initRunStarted();
  started.setRun(blob(run.bytes));
  started.setPhase(wish.phase);
  started.setTrack(wish.track);
  started.setCheck(wish.check);
  started.setLab(blob(lab));
  started.setLabDigest(blob(crypto::digest(lab)));
  return write(std::move(entry));
}

Result<void> Book::ordered(ByteView envelope) {
  Draft<schema::Entry> entry;
  entry->initOrdered().setEnvelope(blob(envelope));
  return write(std::move(entry));
}

Result<void> Book::received(ByteView envelope) {
  Draft<schema::Entry> entry;
  entry->initReceived().setEnvelope(blob(envelope));
  return write(std::move(entry));
}

Result<void> Book::refused(ByteView envelope) {
  Draft<schema::Entry> entry;
  entry->initRefused().setEnvelope(blob(envelope));
  return write(std::move(entry));
}

Result<void> Book::abandoned(const TaskId& task, schema::Abandoned::Reason reason,
                             const std::string& why) {
  Draft<schema::Entry> entry;
  auto abandoned = entry->initAbandoned();
  abandoned.setTaskId(blob(task.bytes));
  abandoned.setReason(reason);
  abandoned.setWhy(why);
  return write(std::move(entry));
}

Result<void> Book::cancel_asked(const TaskId& task) {
  Draft<schema::Entry> entry;
  entry->initCancelAsked().setTaskId(blob(task.bytes));
  return write(std::move(entry));
}

Result<void> Book::cancel_asked(const RunId& run) {
  Draft<schema::Entry> entry;
  entry->initCancelAsked().setRun(blob(run.bytes));
  return write(std::move(entry));
}

Result<void> Book::confirmed(const TaskId& task) {
  Draft<schema::Entry> entry;
  entry->initConfirmed().setTaskId(blob(task.bytes));
  return write(std::move(entry));
}

Result<void> Book::approved(ByteView envelope) {
  Draft<schema::Entry> entry;
  entry->initApproved().setEnvelope(blob(envelope));
  return write(std::move(entry));
}

Result<void> Book::waived(ByteView envelope) {
  Draft<schema::Entry> entry;
  entry->initWaived().setEnvelope(blob(envelope));
  return write(std::move(entry));
}

namespace {

void record(const Finding& finding, schema::Finding::Builder entry) {
  entry.setSubject(finding.subject);
  entry.setMet(finding.met());
  entry.setStanding(finding.standing);
  entry.setWhy(finding.why);
  entry.setSupply(finding.supply);
  if (!finding.origin) return;
  entry.setTaskId(blob(finding.origin->task.bytes));
  entry.setAgent(finding.origin->agent);
  if (finding.origin->digest) entry.setReportDigest(blob(*finding.origin->digest));
  entry.setEndedAt(unix_millis(finding.origin->ended));
}

void record(const Verdict& verdict, schema::Verdict::Builder entry) {
  entry.setCondition(verdict.condition);
  entry.setOf(verdict.of);
  entry.setMet(verdict.met());
  entry.setAbsolute(verdict.absolute);
  entry.setWaived(verdict.waived);
  auto findings = entry.initFindings(static_cast<unsigned>(verdict.findings.size()));
  for (unsigned i = 0; i < findings.size(); ++i) record(verdict.findings[i], findings[i]);
}

}  // namespace

Result<void> Book::judged(const Gate& gate) {
  Draft<schema::Entry> entry;
  auto judged = entry->initJudged();
  judged.setPhase(gate.phase);
  judged.setOpen(gate.open);
  auto verdicts = judged.initConditions(static_cast<unsigned>(gate.verdicts.size()));
  for (unsigned i = 0; i < verdicts.size(); ++i) record(gate.verdicts[i], verdicts[i]);
  return write(std::move(entry));
}

Result<void> Book::run_ended(const RunId& run) {
  Draft<schema::Entry> entry;
  auto ended = entry->initRunEnded();
  ended.setRun(blob(run.bytes));
  std::uint32_t succeeded = 0;
  std::uint32_t failed = 0;
  std::uint32_t missing = 0;
  for (const auto* task : state_.tasks_of(run)) {
    if (!task->evidence) ++missing;
    if (task->evidence)
      ++(task->evidence->report.reader().getOutcome() == schema::Outcome::SUCCEEDED ? succeeded
                                                                                    : failed);
  }
  ended.setSucceeded(succeeded);
  ended.setFailed(failed);
  ended.setMissing(missing);
  return write(std::move(entry));
}

Result<void> Book::checkpoint(const crypto::Keys& keys) {
  const auto& entries = ledger_.entries();
  if (!entries.empty() && entries.back().entry.reader().isCheckpoint()) return {};
  Draft<schema::Checkpoint> checkpoint;
  checkpoint->setLab(state_.lab());
  checkpoint->setEntries(ledger_.entries().size());
  checkpoint->setHead(blob(ledger_.head()));
  checkpoint->setTime(unix_millis(clock_()));
  const auto envelope = sign(keys, std::move(checkpoint).finish());
  Draft<schema::Entry> entry;
  entry->initCheckpoint().setEnvelope(blob(envelope.bytes()));
  RELAB_CHECK(write(std::move(entry)));
  listener_(envelope.bytes());
  return {};
}

}  // namespace relab::controller
