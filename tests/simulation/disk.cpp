#include "tests/simulation/disk.h"

#include <fmt/format.h>
#include <stdexcept>
#include <unistd.h>

#include "common/wire/envelope.h"

namespace relab::sim {

namespace {

namespace fs = std::filesystem;

/// More than SQLite needs for most transactions: some die right after theirs.
constexpr std::uint64_t operations_most = 24;
constexpr auto ledger_name = "ledger.db";

/// In memory, where there is such a file system: the real files are synced, too.
fs::path make_folder() {
  const fs::path memory = "/dev/shm";
  std::error_code error;
  auto name =
      ((fs::is_directory(memory, error) ? memory : fs::temp_directory_path()) / "relab-sim-XXXXXX")
          .string();
  if (::mkdtemp(name.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(), name);
  return name;
}

}  // namespace

Disk::Disk(Chance& chance, Watch& watch)
    : chance_(chance), watch_(watch), folder_(make_folder()), files_(folder_.string()) {}

Disk::~Disk() {
  std::error_code error;
  fs::remove_all(folder_, error);
}

void Disk::arm() {
  dies_ = deadly != 0 && chance_.one_in(deadly);
  if (dies_) files_.die_after(chance_.below(operations_most));
}

void Disk::disarm() {
  if (!dies_) return;
  files_.die();
  ++watch_.counts.torn;
  throw Crash{};
}

void Disk::left_by_the_dead(bool power) {
  files_.lazy = false;
  if (power) files_.lose_power([this](std::uint64_t end) { return chance_.below(end); });
  files_.revive();
}

void Disk::empty() {
  files_.remove_all();
  for (const auto& entry : fs::directory_iterator(folder_)) fs::remove(entry);
}

Result<std::unique_ptr<SimJournal>> SimJournal::open(const Place& place) {
  auto journal = place.disk.write([&] { return agent::Journal::open(place.disk.folder()); });
  if (!journal && journal.error().fault == Fault::busy) return fail(journal.error());
  if (!journal || journal->lost())
    throw Violation(fmt::format("the journal of agent {} is damaged: {}", place.agent,
                                journal ? "it was put aside" : journal.error().sentence()));
  auto opened = std::make_unique<SimJournal>(place, std::move(*journal));
  opened->settle_doubt();
  return opened;
}

SimJournal::SimJournal(const Place& place, agent::Journal journal)
    : place_(place), journal_(std::move(journal)) {
  if (place_.memory.identity.empty()) place_.memory.identity = journal_.identity();
}

const Bytes& SimJournal::identity() const {
  return plants(Plant::same_journal) ? place_.memory.identity : journal_.identity();
}

void SimJournal::settle_doubt() {
  const auto doubt = std::exchange(place_.memory.doubt, std::nullopt);
  if (!doubt) return;
  const auto row = journal_.find(doubt->id);
  if (row && *row && (*row)->state == agent::TaskState::finished) tell_watch(**row, doubt->keeps);
}

void SimJournal::tell_watch(const agent::JournalRow& row, bool keeps) {
  if (keeps) place_.watch.kept(row.id);
  const auto order = Message<schema::Order>::parse(row.order);
  const auto envelope = Message<schema::Envelope>::parse(row.report);
  if (!order || !envelope || !order->reader().getTask().isAuditDisks()) return;
  const auto report = Message<schema::Report>::parse(view(envelope->reader().getPayload()));
  if (report)
    place_.watch.looked(place_.agent, row.id,
                        {.report = payload_digest(row.report),
                         .taken = instant_of(report->reader().getStartedAt())});
}

const std::map<TaskId, agent::TaskState>& SimJournal::states() {
  if (states_at_ == place_.disk.files().changes()) return states_;
  states_at_ = place_.disk.files().changes();
  states_.clear();
  const auto rows = journal_.held();
  if (!rows) throw Violation("the journal cannot be read: " + rows.error().sentence());
  for (const auto& row : *rows) states_.emplace(row.id, row.state);
  return states_;
}

std::optional<TaskId> SimJournal::owner(ByteView report) {
  const auto rows = journal_.held();
  if (rows)
    for (const auto& row : *rows)
      if (!row.report.empty() && std::ranges::equal(row.report, report)) return row.id;
  return {};
}

Result<std::vector<agent::JournalRow>> SimJournal::held() {
  RELAB_TRY(auto rows, journal_.held());
  if (plants(Plant::running_begins_again))
    for (auto& row : rows)
      if (row.state == agent::TaskState::running) row.state = agent::TaskState::accepted;
  return rows;
}

Result<std::optional<agent::JournalRow>> SimJournal::find(const TaskId& id) {
  RELAB_TRY(auto row, journal_.find(id));
  const bool forgotten =
      row && row->state == agent::TaskState::acknowledged && plants(Plant::forgotten_ids);
  if (forgotten || plants(Plant::accepted_twice)) row.reset();
  return row;
}

Result<void> SimJournal::forgiven(Result<void> done) const {
  const bool forgives = plants(Plant::accepted_twice) || plants(Plant::forgotten_ids) ||
                        plants(Plant::running_begins_again);
  if (!done && forgives && done.error().fault == Fault::conflict) return {};
  return done;
}

Result<void> SimJournal::accept(const agent::JournalRow& row) {
  return forgiven(
      place_.disk.write([&] { return journal_.accept(row); }, plants(Plant::order_not_durable)));
}

Result<void> SimJournal::begin(const TaskId& id) {
  return forgiven(
      place_.disk.write([&] { return journal_.begin(id); }, plants(Plant::order_not_durable)));
}

Result<void> SimJournal::finish(const agent::JournalEnd& end) {
  place_.memory.doubt = {.id = end.id, .keeps = false};
  auto done = forgiven(
      place_.disk.write([&] { return journal_.finish(end); },
                        plants(Plant::order_not_durable) || plants(Plant::report_not_durable)));
  settle_doubt();
  return done;
}

Result<void> SimJournal::arm(const TaskId& id, ByteView before, const std::string& boot) {
  return place_.disk.write([&] { return journal_.arm(id, before, boot); },
                           plants(Plant::undo_not_durable));
}

Result<void> SimJournal::hold(const TaskId& id, ByteView report, Instant until) {
  if (plants(Plant::confirmed_by_itself)) return finish({.id = id, .report = report});
  return place_.disk.write([&] { return journal_.hold(id, report, until); });
}

Result<void> SimJournal::keep(const agent::JournalEnd& end) {
  place_.memory.doubt = {.id = end.id, .keeps = true};
  auto done = place_.disk.write([&] { return journal_.keep(end); });
  if (done) settle_doubt();
  place_.memory.doubt.reset();
  return done;
}

Result<void> SimJournal::retract(const TaskId& id) {
  return place_.disk.write([&] { return journal_.retract(id); });
}

Result<std::optional<agent::Newest>> SimJournal::newest_report(std::string_view arm,
                                                               std::string_view resource) {
  return journal_.newest_report(arm, resource);
}

Result<void> SimJournal::acknowledge(const TaskId& id) {
  RELAB_TRY(const auto row, journal_.find(id));
  if (row && row->state == agent::TaskState::finished) place_.watch.released(id, row->report);
  return place_.disk.write([&] { return journal_.acknowledge(id); });
}

Result<Bytes> SimJournal::checkpoint(const crypto::PublicKey& controller) {
  return journal_.checkpoint(controller);
}

Result<void> SimJournal::keep_checkpoint(const crypto::PublicKey& controller, ByteView envelope) {
  return place_.disk.write([&] { return journal_.keep_checkpoint(controller, envelope); });
}

SimEntries::SimEntries(Disk& disk, Watch& watch, Plant plant,
                       std::unique_ptr<controller::EntryStore> store)
    : disk_(disk), watch_(watch), plant_(plant), store_(std::move(store)) {}

Result<std::unique_ptr<SimEntries>> SimEntries::open(Disk& disk, Watch& watch, Plant plant) {
  auto store = disk.write([&] { return controller::open_entries(disk.folder() / ledger_name); });
  if (!store && store.error().fault == Fault::busy) return fail(store.error());
  if (!store) throw Violation("the ledger does not open: " + store.error().sentence());
  return std::make_unique<SimEntries>(disk, watch, plant, std::move(*store));
}

Result<std::vector<controller::StoredEntry>> SimEntries::load() {
  RELAB_TRY(auto entries, store_->load());
  const auto known = watch_.entries();
  if (entries.size() < known && plant_ != Plant::ledger_forks)
    throw Violation(fmt::format("of {} entries that were written, {} are in the ledger", known,
                                entries.size()));
  for (auto i = known; i < entries.size(); ++i) watch_.entered(entries[i]);
  return entries;
}

Result<void> SimEntries::append(const controller::StoredEntry& entry) {
  if (plant_ != Plant::ledger_not_durable) return store(entry);
  const auto late = std::exchange(late_, entry);
  return late ? store(*late) : Result<void>();
}

Result<void> SimEntries::store(const controller::StoredEntry& entry) {
  RELAB_CHECK(disk_.write([&] { return store_->append(entry); }));
  watch_.entered(entry);
  return {};
}

void cut_last_entry(Disk& disk) {
  auto database = store::Database::open({.path = disk.folder() / ledger_name,
                                         .application_id = 0x726c'6467,
                                         .schema = "",
                                         .version = 1});
  if (database)
    static_cast<void>(
        database
            ->execute(
                "DROP TRIGGER IF EXISTS entry_is_never_removed; DELETE FROM entry WHERE number > "
                "12 AND number = (SELECT max(number) FROM entry)")
            .has_value());
}

}  // namespace relab::sim
