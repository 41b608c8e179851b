#include "tests/simulation/disk.h"

#include "common/wire/envelope.h"

namespace relab::sim {

Result<void> Disk::write(const std::function<void()>& change) {
  if (full) return fail(Fault::busy, "the disk is full");
  const bool dies = deadly != 0 && chance_.one_in(deadly);
  if (dies && chance_.one_in(2)) {
    ++watch_.counts.torn;
    throw Crash{};
  }
  change();
  if (!dies) return {};
  ++watch_.counts.torn;
  throw Crash{};
}

Result<std::vector<agent::JournalRow>> SimJournal::held() {
  std::vector<agent::JournalRow> rows;
  for (const auto& [id, row] : kept_.rows) {
    if (row.state == agent::TaskState::acknowledged) continue;
    rows.push_back(row);
    if (plant_ == Plant::running_begins_again && row.state == agent::TaskState::running) {
      rows.back().state = agent::TaskState::accepted;
      kept_.rows[id].state = agent::TaskState::accepted;
    }
  }
  return rows;
}

Result<std::optional<agent::JournalRow>> SimJournal::find(const TaskId& id) {
  if (const auto row = volatile_.find(id); row != volatile_.end())
    return std::optional(row->second);
  const auto row = kept_.rows.find(id);
  if (row == kept_.rows.end()) return std::optional<agent::JournalRow>();
  const bool forgotten =
      plant_ == Plant::forgotten_ids && row->second.state == agent::TaskState::acknowledged;
  if (forgotten || plant_ == Plant::accepted_twice) return std::optional<agent::JournalRow>();
  return std::optional(row->second);
}

Result<void> SimJournal::change(const agent::JournalRow& row, bool durable,
                                const agent::JournalEnd* end) {
  if (!durable) {
    volatile_.insert_or_assign(row.id, row);
    return {};
  }
  return disk_.write([&] {
    volatile_.erase(row.id);
    note_moment(row, end);
    kept_.rows.insert_or_assign(row.id, row);
    if (end != nullptr) tell_watch(row);
    if (kept_now_) watch_.kept(row.id);
    kept_.relaxed.clear();
    ++kept_.changes;
  });
}

void SimJournal::note_moment(const agent::JournalRow& row, const agent::JournalEnd* end) {
  const bool begins = row.state == agent::TaskState::running && !kept_.began.contains(row.id);
  if (!begins && end == nullptr) return;
  const auto moment = ++kept_.moment;
  if (begins) kept_.began[row.id] = moment;
  if (!row.destroys.empty()) kept_.deeds[row.destroys] = moment;
  if (end != nullptr && !end->arm.empty())
    kept_.newest.insert_or_assign(
        end->arm,
        JournalDisk::Shown{.digest = payload_digest(end->report), .began = kept_.began[row.id]});
}

/// By what is on the disk, whatever the agent makes of it.
void SimJournal::tell_watch(const agent::JournalRow& row) {
  const auto order = Message<schema::Order>::parse(row.order);
  const auto envelope = Message<schema::Envelope>::parse(row.report);
  if (!order || !envelope || !order->reader().getTask().isAuditDisks()) return;
  const auto report = Message<schema::Report>::parse(view(envelope->reader().getPayload()));
  if (report)
    watch_.looked(agent_, row.id,
                  {.report = payload_digest(row.report),
                   .taken = instant_of(report->reader().getStartedAt())});
}

Result<void> SimJournal::accept(const agent::JournalRow& row) {
  const auto known = kept_.rows.find(row.id);
  const bool forgives = plant_ == Plant::accepted_twice || plant_ == Plant::forgotten_ids;
  if (known != kept_.rows.end() && !forgives) return fail(Fault::conflict, "known already");
  return change(row, plant_ != Plant::order_not_durable);
}

Result<void> SimJournal::begin(const TaskId& id) {
  RELAB_TRY(auto row, find(id));
  if (!row || row->state != agent::TaskState::accepted)
    return fail(Fault::conflict, "the task does not wait");
  row->state = agent::TaskState::running;
  return change(*row, plant_ != Plant::order_not_durable);
}

Result<void> SimJournal::finish(const agent::JournalEnd& end) {
  RELAB_TRY(auto row, find(end.id));
  if (!row && plant_ == Plant::accepted_twice) row = kept_.rows.at(end.id);
  if (!row ||
      (row->state >= agent::TaskState::finished && row->state != agent::TaskState::unconfirmed))
    return fail(Fault::conflict, "the task has a report");
  row->state = agent::TaskState::finished;
  row->before.clear();
  row->report = Bytes(end.report.begin(), end.report.end());
  return change(*row, plant_ != Plant::report_not_durable && plant_ != Plant::order_not_durable,
                &end);
}

Result<void> SimJournal::arm(const TaskId& id, ByteView before, const std::string& boot) {
  RELAB_TRY(auto row, find(id));
  if (!row || row->state != agent::TaskState::running)
    return fail(Fault::conflict, "the task does not run");
  row->before = Bytes(before.begin(), before.end());
  row->boot = boot;
  return change(*row, plant_ != Plant::undo_not_durable);
}

Result<void> SimJournal::hold(const TaskId& id, ByteView report, Instant until) {
  RELAB_TRY(auto row, find(id));
  if (!row || row->state != agent::TaskState::running || row->before.empty())
    return fail(Fault::conflict, "the task does not run");
  row->state = plant_ == Plant::confirmed_by_itself ? agent::TaskState::finished
                                                    : agent::TaskState::unconfirmed;
  row->report = Bytes(report.begin(), report.end());
  row->until = until;
  return change(*row, true);
}

Result<void> SimJournal::keep(const agent::JournalEnd& end) {
  RELAB_TRY(auto row, find(end.id));
  if (!row || row->state != agent::TaskState::unconfirmed)
    return fail(Fault::conflict, "the change does not wait");
  row->state = agent::TaskState::finished;
  row->before.clear();
  row->report = Bytes(end.report.begin(), end.report.end());
  kept_now_ = true;
  auto kept = change(*row, true, &end);
  kept_now_ = false;
  return kept;
}

Result<void> SimJournal::retract(const TaskId& id) {
  RELAB_TRY(auto row, find(id));
  if (!row || row->state != agent::TaskState::unconfirmed) return {};
  row->state = agent::TaskState::running;
  row->report.clear();
  return change(*row, true);
}

Result<std::optional<agent::Newest>> SimJournal::newest_report(std::string_view arm,
                                                               std::string_view resource) {
  const auto known = kept_.newest.find(arm);
  if (known == kept_.newest.end()) return std::optional<agent::Newest>();
  const auto deed = kept_.deeds.find(resource);
  return std::optional(
      agent::Newest{.digest = known->second.digest,
                    .outdated = deed != kept_.deeds.end() && deed->second > known->second.began});
}

Result<void> SimJournal::acknowledge(const TaskId& id) {
  RELAB_TRY(auto row, find(id));
  if (!row || row->state != agent::TaskState::finished) return {};
  watch_.released(id, row->report);
  if (disk_.full) return fail(Fault::busy, "the disk is full");
  kept_.relaxed.insert_or_assign(id, *row);
  row->state = agent::TaskState::acknowledged;
  row->order.clear();
  row->report.clear();
  volatile_.erase(id);
  kept_.rows.insert_or_assign(id, *row);
  return {};
}

Result<void> SimJournal::keep_checkpoint(const crypto::PublicKey& /*controller*/,
                                         ByteView envelope) {
  return disk_.write([&] { kept_.checkpoint.assign(envelope.begin(), envelope.end()); });
}

Result<void> SimEntries::append(const controller::StoredEntry& entry) {
  if (plant_ != Plant::ledger_not_durable) return store(entry);
  const auto late = std::exchange(late_, entry);
  return late ? store(*late) : Result<void>();
}

Result<void> SimEntries::store(const controller::StoredEntry& entry) {
  return disk_.write([&] {
    kept_.push_back(entry);
    watch_.entered(entry);
  });
}

}  // namespace relab::sim
