#include "controller/state/state.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/reflect/notes.h"
#include "common/reflect/resource.h"
#include "common/reflect/union.h"
#include "controller/state/planted.h"

namespace relab::controller {

namespace {

crypto::Digest digest_from(ByteView bytes) {
  crypto::Digest digest{};
  if (bytes.size() == digest.size()) std::ranges::copy(bytes, digest.begin());
  return digest;
}

SecretTimes secret_times(schema::Order::Reader order) {
  SecretTimes times;
  for (const auto secret : order.getSecrets())
    times.emplace(str(secret.getName()), instant_of(secret.getSetAt()));
  return times;
}

}  // namespace

bool AgentRecord::answers_for(const crypto::PublicKey& key) const {
  return key == party.sign_key || std::ranges::find(before, key) != before.end();
}

std::string phase_of(std::string_view step) { return std::string(step.substr(0, step.find('/'))); }

Result<State> State::replay(const Ledger& ledger) {
  State state;
  for (const auto& entry : ledger.entries())
    RELAB_CHECK(
        state.apply(entry).during(fmt::format("reading entry {} of the ledger", entry.number)));
  return state;
}

Result<void> State::apply(const LedgerEntry& stored) {
  const auto entry = stored.entry.reader();
  const auto time = instant_of(entry.getTime());
  auto taken = [&]() -> Result<void> {
    switch (entry.which()) {
      case schema::Entry::UNSET:
        return fail(Fault::damaged, "an empty entry");
      case schema::Entry::CREATED:
        return take(entry.getCreated());
      case schema::Entry::ENROLLED:
        return take(entry.getEnrolled(), time);
      case schema::Entry::REMOVED:
        forget(str(entry.getRemoved().getName()));
        return {};
      case schema::Entry::RUN_STARTED: {
        const auto run = entry.getRunStarted();
        RELAB_TRY(const auto id, RunId::from(view(run.getRun())));
        const auto lab = view(run.getLab());
        runs_.push_back({.id = id,
                         .phase = str(run.getPhase()),
                         .started = time,
                         .lab = Bytes(lab.begin(), lab.end()),
                         .lab_digest = digest_from(view(run.getLabDigest())),
                         .check = run.getCheck(),
                         .track = str(run.getTrack())});
        return {};
      }
      case schema::Entry::ORDERED:
        return take_order(view(entry.getOrdered().getEnvelope()), time, stored.number);
      case schema::Entry::RECEIVED:
        return take_report(view(entry.getReceived().getEnvelope()), time, stored.number);
      case schema::Entry::REFUSED:
        return take_refusal(view(entry.getRefused().getEnvelope()), stored.number);
      case schema::Entry::ABANDONED: {
        RELAB_TRY(const auto id, TaskId::from(view(entry.getAbandoned().getTaskId())));
        if (const auto task = tasks_.find(id); task != tasks_.end()) {
          task->second.abandoned = str(entry.getAbandoned().getWhy());
          task->second.abandoned_for = entry.getAbandoned().getReason();
          task->second.closed = stored.number;
        }
        return {};
      }
      case schema::Entry::JUDGED:
        return {};
      case schema::Entry::CHECKPOINT:
        return take_checkpoint(view(entry.getCheckpoint().getEnvelope()), stored);
      case schema::Entry::CANCEL_ASKED:
        return take(entry.getCancelAsked());
      case schema::Entry::CONFIRMED:
        return mark(view(entry.getConfirmed().getTaskId()), &TaskRecord::confirmed);
      case schema::Entry::APPROVED:
        return take_signed(view(entry.getApproved().getEnvelope()), approvals_);
      case schema::Entry::WAIVED:
        return take_signed(view(entry.getWaived().getEnvelope()), waivers_);
      case schema::Entry::RUN_ENDED: {
        RELAB_TRY(const auto id, RunId::from(view(entry.getRunEnded().getRun())));
        for (auto& run : runs_)
          if (run.id == id) run.ended = time;
        return {};
      }
    }
    return fail(Fault::unsupported, "an entry of a newer version");
  }();
  if (!taken) return taken;
  if (hashes_.empty()) first_change_ = time;
  hashes_.push_back(stored.hash);
  last_change_ = time;
  return taken;
}

Result<void> State::take(const schema::Created::Reader& created) {
  if (controller_) return fail(Fault::damaged, "a second beginning");
  RELAB_TRY(auto party, read_identity(view(created.getIdentity()), schema::Role::CONTROLLER));
  controller_ = std::move(party);
  lab_ = str(created.getLab());
  return {};
}

Result<void> State::take(const schema::Enrolled::Reader& enrolled, Instant time) {
  RELAB_TRY(auto party, read_identity(view(enrolled.getIdentity()), schema::Role::AGENT));
  const auto name = str(enrolled.getName());
  RELAB_CHECK(check_origin(enrolled));
  known_agents_.emplace_back(name, party);
  AgentRecord record{.name = name,
                     .endpoint = str(enrolled.getEndpoint()),
                     .party = std::move(party),
                     .since = time};
  const auto known = agents_.find(name);
  if (known != agents_.end() && known->second.party.sign_key == record.party.sign_key)
    record.before = known->second.before;
  else
    forget(name);
  const auto former = former_.find(name);
  if (enrolled.getReinstalled() && record.before.empty() && former != former_.end()) {
    record.before = former->second.before;
    record.before.push_back(former->second.party.sign_key);
  }
  agents_.insert_or_assign(name, std::move(record));
  return {};
}

Result<void> State::check_origin(schema::Enrolled::Reader enrolled) const {
  const auto origin = view(enrolled.getOrigin());
  if (origin.empty()) return {};
  const auto brought = [&](const auto& known) {
    const auto& task = known.second;
    if (!task.evidence || !crypto::equal(task.evidence->digest, origin)) return false;
    const auto party = planted_party(task);
    return party && party->name == view(enrolled.getName()) &&
           std::ranges::equal(party->statement, view(enrolled.getIdentity())) &&
           planting_conflict(*this, party->name, *party).empty();
  };
  if (std::ranges::any_of(tasks_, brought)) return {};
  return fail(Fault::damaged,
              fmt::format("no report brought the agent '{}' that was enrolled by one",
                          str(enrolled.getName())));
}

void State::forget(const std::string& agent) {
  if (const auto known = agents_.extract(agent); !known.empty())
    former_.insert_or_assign(agent, known.mapped());
}

const Party* State::agent_by_key(const crypto::PublicKey& key) const {
  const auto found = std::ranges::find_if(
      known_agents_, [&](const auto& agent) { return agent.second.sign_key == key; });
  return found == known_agents_.end() ? nullptr : &found->second;
}

Result<void> State::take_order(ByteView envelope, Instant time, std::uint64_t number) {
  if (!controller_) return fail(Fault::damaged, "an order before the ledger's beginning");
  RELAB_TRY(auto opened, open_signed<schema::Order>(envelope, controller_->sign_key));
  auto& [order, frame] = opened;
  const auto reader = order.reader();
  RELAB_TRY(const auto id, TaskId::from(view(reader.getTaskId())));
  RELAB_TRY(const auto run, RunId::from(view(reader.getRun())));
  RELAB_TRY(const auto audience, crypto::public_key(view(reader.getAudience())));
  // Whoever was enrolled under another name before has the last one now.
  const auto agent =
      std::find_if(known_agents_.rbegin(), known_agents_.rend(),
                   [&](const auto& known) { return known.second.sign_key == audience; });
  if (agent == known_agents_.rend())
    return fail(Fault::damaged, "an order to an agent that was never enrolled");
  std::map<crypto::Digest, SentOrder> orders;
  const auto before = tasks_.find(id);
  if (before != tasks_.end()) orders = before->second.orders;
  const bool cancel_asked = before != tasks_.end() && before->second.cancel_asked;
  const auto first = before != tasks_.end() ? before->second.first_ordered : number;
  orders.emplace(frame.digest, SentOrder{.at = time, .secrets = secret_times(reader)});
  const auto step = str(reader.getStep());
  const std::string arm(reflect::member_of(capnp::toDynamic(reader.getTask())));
  const auto attempt = reader.getAttempt();
  const bool check = reader.getMode() == schema::Mode::CHECK;
  const bool destroys = reflect::notes_of_kind(arm).destructive;
  tasks_.insert_or_assign(
      id, TaskRecord{.id = id,
                     .run = run,
                     .phase = phase_of(step),
                     .step = step,
                     .agent = agent->first,
                     .arm = arm,
                     .attempt = attempt,
                     .check = check,
                     .destroys = destroys && !check ? reflect::resource_of(reader.getTask())
                                                    : std::string(),
                     .order = std::move(order),
                     .first_ordered = first,
                     .orders = std::move(orders),
                     .ordered = time,
                     .cancel_asked = cancel_asked});
  return {};
}

Result<const TaskRecord*> State::task_of(const Opened& opened, const Answer& answer) const {
  RELAB_TRY(const auto id, TaskId::from(answer.task));
  const auto task = tasks_.find(id);
  if (task == tasks_.end())
    return fail(Fault::refused,
                fmt::format("{} for the task {}, which was never ordered", answer.what, id.text()));
  if (!task->second.orders.contains(digest_from(answer.order_digest)))
    return fail(Fault::refused, fmt::format("{} for the task {} that is bound to another order",
                                            answer.what, id.text()));
  RELAB_TRY(const auto audience,
            crypto::public_key(view(task->second.order.reader().getAudience())));
  if (audience != opened.signer)
    return fail(Fault::refused,
                fmt::format("{} for the task {} by another agent than it was given to", answer.what,
                            id.text()));
  return &task->second;
}

Result<const TaskRecord*> State::task_of_report(const Opened& opened,
                                                const schema::Report::Reader& report) const {
  RELAB_TRY(const auto* task, task_of(opened, {.what = "a report",
                                               .task = view(report.getTaskId()),
                                               .order_digest = view(report.getOrderDigest())}));
  if (!crypto::equal(view(report.getRun()), task->run.bytes))
    return fail(Fault::refused,
                fmt::format("a report for the task {} of another run", task->id.text()));
  return task;
}

Result<const TaskRecord*> State::task_of_receipt(const Opened& opened,
                                                 const schema::Receipt::Reader& receipt) const {
  return task_of(opened, {.what = "a receipt",
                          .task = view(receipt.getTaskId()),
                          .order_digest = view(receipt.getOrderDigest())});
}

Result<void> State::take_report(ByteView envelope, Instant time, std::uint64_t number) {
  auto opening = open_frame(envelope, message_size_max,
                            [&](const auto& key) { return agent_by_key(key) != nullptr; });
  if (!opening.opened)
    return fail(Fault::damaged,
                fmt::format("a report that does not verify: {}", name(opening.reason)));
  RELAB_TRY(auto report, opening.opened->as<schema::Report>());
  RELAB_TRY(const auto* task, task_of_report(*opening.opened, report.reader()));
  auto& record = tasks_.at(task->id);
  // Once more, it is no newer than it was.
  if (record.evidence && record.evidence->digest == opening.opened->digest) return {};
  const auto& answered = record.orders.at(digest_from(view(report.reader().getOrderDigest())));
  record.ordered = answered.at;
  record.secrets = answered.secrets;
  record.evidence = Evidence{.report = std::move(report),
                             .agent = record.agent,
                             .signer = opening.opened->signer,
                             .digest = opening.opened->digest,
                             .received = time,
                             .number = number};
  record.closed = number;
  return {};
}

Result<void> State::take_refusal(ByteView envelope, std::uint64_t number) {
  auto opening = open_frame(envelope, message_size_max,
                            [&](const auto& key) { return agent_by_key(key) != nullptr; });
  if (!opening.opened)
    return fail(Fault::damaged,
                fmt::format("a receipt that does not verify: {}", name(opening.reason)));
  RELAB_TRY(const auto receipt, opening.opened->as<schema::Receipt>());
  RELAB_TRY(const auto* task, task_of_receipt(*opening.opened, receipt.reader()));
  tasks_.at(task->id).refusal = str(receipt.reader().getWhat());
  tasks_.at(task->id).closed = number;
  return {};
}

Result<void> State::mark(ByteView task, bool TaskRecord::*flag) {
  RELAB_TRY(const auto id, TaskId::from(task));
  const auto known = tasks_.find(id);
  if (known == tasks_.end())
    return fail(Fault::damaged, fmt::format("the task {} was never ordered", id.text()));
  known->second.*flag = true;
  return {};
}

template <typename T>
Result<void> State::take_signed(ByteView envelope, std::vector<Statement<T>>& statements) {
  if (!controller_) return fail(Fault::damaged, "a person's word before the ledger's beginning");
  RELAB_TRY(auto opened, open_signed<T>(envelope, controller_->sign_key));
  statements.push_back(
      {.message = std::move(opened.first), .envelope = Bytes(envelope.begin(), envelope.end())});
  return {};
}

Result<void> State::take_checkpoint(ByteView envelope, const LedgerEntry& entry) {
  if (!controller_) return fail(Fault::damaged, "a checkpoint before the ledger's beginning");
  RELAB_TRY(const auto opened, open_signed<schema::Checkpoint>(envelope, controller_->sign_key));
  const auto checkpoint = opened.first.reader();
  if (checkpoint.getEntries() != entry.number - 1 || hashes_.empty() ||
      !crypto::equal(view(checkpoint.getHead()), hashes_.back()))
    return fail(Fault::damaged, "a checkpoint that does not fit the entries before it");
  checkpoint_.assign(envelope.begin(), envelope.end());
  checkpoints_[checkpoint.getEntries()] = payload_digest(envelope);
  return {};
}

Result<void> State::continues(ByteView checkpoint) const {
  if (checkpoint.empty() || !controller_) return {};
  const auto opened = open_signed<schema::Checkpoint>(checkpoint, controller_->sign_key);
  // What we did not sign says nothing of our ledger.
  if (!opened) return {};
  const auto shown = opened->first.reader();
  const auto entries = shown.getEntries();
  // It stands in the ledger itself, behind what it covers.
  if (entries == 0 || entries >= hashes_.size())
    return fail(Fault::damaged,
                fmt::format("was shown a ledger of {} entries at {}, this one has {}", entries + 1,
                            iso8601(instant_of(shown.getTime())), hashes_.size()));
  const auto known = checkpoints_.find(entries);
  if (!crypto::equal(view(shown.getHead()), hashes_[entries - 1]) || known == checkpoints_.end() ||
      known->second != payload_digest(checkpoint))
    return fail(Fault::damaged, fmt::format("was shown a ledger with another entry {} at {}",
                                            entries + 1, iso8601(instant_of(shown.getTime()))));
  return {};
}

Result<void> State::take(const schema::CancelAsked::Reader& asked) {
  if (asked.getRun().size() == 0) return mark(view(asked.getTaskId()), &TaskRecord::cancel_asked);
  RELAB_TRY(const auto id, RunId::from(view(asked.getRun())));
  const auto known = std::ranges::find(runs_, id, &RunRecord::id);
  if (known == runs_.end())
    return fail(Fault::damaged, fmt::format("the run {} was never started", id.text()));
  known->cancelled = true;
  for (auto& [task, record] : tasks_)
    if (record.run == id && record.open()) record.cancel_asked = true;
  return {};
}

}  // namespace relab::controller
