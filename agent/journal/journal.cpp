/// A task's row goes accepted -> running -> finished -> acknowledged and never back. When the disk
/// is full, even the end of a task could not be written: so a ballast file lies beside the journal,
/// and is given up for that.

#include "agent/journal/journal.h"

#include <algorithm>
#include <fmt/format.h>
#include <sodium.h>

#include "agent/journal/ways_back.h"
#include "common/base/file.h"
#include "common/base/time.h"
#include "common/wire/envelope.h"

namespace relab::agent {

namespace {

namespace fs = std::filesystem;

constexpr std::int32_t journal_id = 0x726a'6e6c;  // "rjnl"
constexpr std::size_t ballast_size = std::size_t{1} << 20U;
/// `moment` counts beginnings and ends of tasks: a clock that nobody can turn.
constexpr std::string_view tables =
    "CREATE TABLE task(id BLOB PRIMARY KEY, task_digest BLOB NOT NULL, order_digest BLOB NOT NULL, "
    "state INTEGER NOT NULL,"
    " order_bytes BLOB NOT NULL, report BLOB NOT NULL, before BLOB NOT NULL DEFAULT x'',"
    " boot TEXT NOT NULL DEFAULT '', until INTEGER NOT NULL DEFAULT 0,"
    " destroys TEXT NOT NULL DEFAULT '', began INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
    "CREATE INDEX held ON task(id) WHERE state <> 4;"
    "CREATE TABLE newest(arm TEXT PRIMARY KEY, report_digest BLOB NOT NULL, began INTEGER NOT NULL "
    "DEFAULT 0) WITHOUT ROWID;"
    "CREATE TABLE deed(resource TEXT PRIMARY KEY, moment INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE checkpoint(controller BLOB PRIMARY KEY, envelope BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE identity(id BLOB NOT NULL, moment INTEGER NOT NULL DEFAULT 0);";
/// From the third version, which did not know what outdates evidence: none that it holds counts.
constexpr std::string_view upgrade =
    "ALTER TABLE task ADD COLUMN destroys TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE task ADD COLUMN began INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE identity ADD COLUMN moment INTEGER NOT NULL DEFAULT 0;"
    "DROP TABLE newest;"
    "CREATE TABLE newest(arm TEXT PRIMARY KEY, report_digest BLOB NOT NULL, began INTEGER NOT NULL "
    "DEFAULT 0) WITHOUT ROWID;"
    "CREATE TABLE deed(resource TEXT PRIMARY KEY, moment INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE checkpoint(controller BLOB PRIMARY KEY, envelope BLOB NOT NULL) WITHOUT ROWID;";
constexpr std::size_t identity_size = 16;

crypto::Digest digest_from(const Bytes& bytes) {
  crypto::Digest digest{};
  if (bytes.size() == digest.size()) std::ranges::copy(bytes, digest.begin());
  return digest;
}

Result<JournalRow> read_row(const store::Statement& row) {
  RELAB_TRY(const auto id, TaskId::from(row.blob(0)));
  return JournalRow{.id = id,
                    .task_digest = digest_from(row.blob(1)),
                    .order_digest = digest_from(row.blob(2)),
                    .state = static_cast<TaskState>(row.number(3)),
                    .order = row.blob(4),
                    .report = row.blob(5),
                    .before = row.blob(6),
                    .boot = row.text(7),
                    .until = instant_of(static_cast<std::uint64_t>(row.number(8))),
                    .destroys = row.text(9)};
}

/// Runs an UPDATE ... RETURNING 1 that must find its one row.
Result<void> change_one(store::Statement& change) {
  RELAB_TRY(const bool found, change.step());
  if (!found) return fail(Fault::conflict, "the journal has no such task in that state");
  return change.run();
}

constexpr std::string_view columns =
    "SELECT id, task_digest, order_digest, state, order_bytes, report, before, boot, until, "
    "destroys FROM task ";

fs::path checkpoint_file(const fs::path& folder, const crypto::PublicKey& controller) {
  return folder / fmt::format("checkpoint-{}", hex(ByteView(controller).first(8)));
}

void keep_ballast(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder / "ballast", error))
    static_cast<void>(
        replace_file(folder / "ballast", std::string(ballast_size, '\0')).has_value());
}

void drop_ballast(const fs::path& folder) {
  std::error_code error;
  fs::remove(folder / "ballast", error);
}

}  // namespace

Result<Journal> Journal::open(const fs::path& state_dir) {
  RELAB_CHECK(make_private_folder(state_dir));
  const store::Opening opening = {.path = state_dir / "journal.db",
                                  .application_id = journal_id,
                                  .schema = tables,
                                  .version = 5,
                                  .upgrades_from = 3,
                                  .upgrade = upgrade};
  bool lost = false;
  auto database = store::Database::open(opening);
  if (!database && database.error().fault == Fault::damaged) {
    put_aside(opening.path);
    std::error_code error;
    for (const auto* tail : {"-wal", "-shm"}) fs::remove(opening.path.string() + tail, error);
    lost = true;
    database = store::Database::open(opening);
  }
  if (!database) return fail(database.error());
  keep_ballast(state_dir);
  Journal journal(std::move(*database), state_dir, lost);
  RELAB_CHECK(journal.read_identity().during("reading the identity of the journal"));
  RELAB_CHECK(journal.settle_ways_back().during("reading the ways back from changes"));
  return journal;
}

Result<void> Journal::read_identity() {
  Bytes fresh(identity_size);
  randombytes_buf(fresh.data(), fresh.size());
  {
    RELAB_TRY(auto make, database_.prepare("INSERT INTO identity(id) SELECT ? WHERE NOT EXISTS "
                                           "(SELECT 1 FROM identity)"));
    RELAB_CHECK(make.bind(ByteView(fresh)).run());
  }
  RELAB_TRY(auto rows, database_.prepare("SELECT id FROM identity"));
  RELAB_TRY(const bool found, rows.step());
  if (found) identity_ = rows.blob(0);
  return identity_.size() == identity_size
             ? Result<void>()
             : fail(Fault::damaged, "the journal does not tell which one it is");
}

Result<std::vector<JournalRow>> Journal::held() {
  RELAB_TRY(auto rows, database_.prepare(std::string(columns) + "WHERE state <> 4 ORDER BY id"));
  std::vector<JournalRow> held;
  for (;;) {
    RELAB_TRY(const bool more, rows.step());
    if (!more) return held;
    RELAB_TRY(auto row, read_row(rows));
    held.push_back(std::move(row));
  }
}

Result<std::optional<JournalRow>> Journal::find(const TaskId& id) {
  RELAB_TRY(auto rows, database_.prepare(std::string(columns) + "WHERE id = ?"));
  rows.bind(id.view());
  RELAB_TRY(const bool found, rows.step());
  if (!found) return std::optional<JournalRow>();
  RELAB_TRY(auto row, read_row(rows));
  return std::optional(std::move(row));
}

Result<std::int64_t> Journal::next_moment() {
  RELAB_TRY(auto row,
            database_.prepare("UPDATE identity SET moment = moment + 1 RETURNING moment"));
  RELAB_TRY(const bool found, row.step());
  if (!found) return fail(Fault::damaged, "the journal does not tell which one it is");
  const auto moment = row.number(0);
  RELAB_CHECK(row.run());
  return moment;
}

Result<void> Journal::note_deed(const TaskId& id, std::int64_t moment) {
  RELAB_TRY(auto deed, database_.prepare("INSERT OR REPLACE INTO deed SELECT destroys, ? FROM task "
                                         "WHERE id = ? AND destroys <> ''"));
  return deed.bind(moment).bind(id.view()).run();
}

Result<void> Journal::note_beginning(const TaskId& id) {
  RELAB_TRY(const auto moment, next_moment());
  {
    RELAB_TRY(auto began, database_.prepare("UPDATE task SET began = ? WHERE id = ?"));
    RELAB_CHECK(began.bind(moment).bind(id.view()).run());
  }
  return note_deed(id, moment);
}

Result<void> Journal::accept(const JournalRow& row) {
  return database_
      .transaction([&]() -> Result<void> {
        {
          RELAB_TRY(auto insert,
                    database_.prepare("INSERT INTO task(id, task_digest, order_digest, state, "
                                      "order_bytes, report, destroys) VALUES(?, ?, ?, ?, ?, ?, "
                                      "?)"));
          insert.bind(row.id.view()).bind(ByteView(row.task_digest));
          insert.bind(ByteView(row.order_digest)).bind(static_cast<std::int64_t>(row.state));
          insert.bind(ByteView(row.order)).bind(ByteView()).bind(std::string_view(row.destroys));
          RELAB_CHECK(insert.run());
        }
        return row.state == TaskState::running ? note_beginning(row.id) : Result<void>();
      })
      .during("accepting the task " + row.id.text());
}

Result<void> Journal::update(std::string_view sql, const TaskId& id) {
  RELAB_TRY(auto change, database_.prepare(sql));
  return change.bind(id.view()).run();
}

Result<void> Journal::begin(const TaskId& id) {
  return database_
      .transaction([&]() -> Result<void> {
        {
          RELAB_TRY(auto change, database_.prepare("UPDATE task SET state = 2 WHERE id = ? AND "
                                                   "state = 1 RETURNING 1"));
          RELAB_CHECK(change_one(change.bind(id.view())));
        }
        return note_beginning(id);
      })
      .during("beginning the task " + id.text());
}

Result<void> Journal::note_newest(const JournalEnd& end) {
  if (end.arm.empty()) return {};
  RELAB_TRY(auto newest, database_.prepare("INSERT OR REPLACE INTO newest SELECT ?, ?, began FROM "
                                           "task WHERE id = ?"));
  const auto digest = payload_digest(end.report);
  newest.bind(std::string_view(end.arm)).bind(ByteView(digest)).bind(end.id.view());
  return newest.run();
}

Result<void> Journal::store_end(const JournalEnd& end, std::string_view states) {
  auto stored = database_.transaction([&]() -> Result<void> {
    {
      RELAB_TRY(auto change,
                database_.prepare(fmt::format("UPDATE task SET state = 3, report = ?, before = x'' "
                                              "WHERE id = ? AND state IN ({}) RETURNING 1",
                                              states)));
      RELAB_CHECK(change_one(change.bind(end.report).bind(end.id.view())));
    }
    RELAB_TRY(const auto moment, next_moment());
    RELAB_CHECK(note_deed(end.id, moment));
    return note_newest(end);
  });
  if (stored) WaysBack(folder_).forget(end.id);
  return stored;
}

template <typename Write>
Result<void> Journal::write_end(Write write) {
  auto done = write();
  if (!done && done.error().fault == Fault::busy) {
    drop_ballast(folder_);
    done = write();
  }
  return done;
}

Result<void> Journal::finish(const JournalEnd& end) {
  return write_end([&] { return store_end(end, "1, 2, 5"); })
      .during("storing the report of " + end.id.text());
}

Result<void> Journal::arm(const TaskId& id, ByteView before, const std::string& boot) {
  const auto armed = [&]() -> Result<void> {
    RELAB_TRY(auto row, find(id));
    if (!row) return fail(Fault::conflict, "the journal has no such task");
    row->before.assign(before.begin(), before.end());
    row->boot = boot;
    RELAB_CHECK(WaysBack(folder_).keep(*row));
    RELAB_TRY(auto change,
              database_.prepare("UPDATE task SET before = ?, boot = ? WHERE id = ? AND "
                                "state = 2 RETURNING 1"));
    change.bind(before).bind(std::string_view(boot)).bind(id.view());
    return change_one(change);
  };
  return armed().during("storing the way back of " + id.text());
}

Result<void> Journal::restore(const JournalRow& row) {
  RELAB_TRY(auto insert,
            database_.prepare("INSERT INTO task(id, task_digest, order_digest, state, order_bytes, "
                              "report, before, boot) VALUES(?, ?, ?, ?, ?, x'', ?, ?)"));
  insert.bind(row.id.view()).bind(ByteView(row.task_digest)).bind(ByteView(row.order_digest));
  insert.bind(static_cast<std::int64_t>(row.state)).bind(ByteView(row.order));
  return insert.bind(ByteView(row.before)).bind(std::string_view(row.boot)).run();
}

Result<void> Journal::settle_ways_back() {
  const WaysBack ways(folder_);
  RELAB_TRY(const auto rows, ways.all());
  for (const auto& row : rows) {
    RELAB_TRY(const auto known, find(row.id));
    // The journal that knew of it is gone.
    if (!known) RELAB_CHECK(restore(row));
    if (known && known->before.empty()) ways.forget(row.id);
  }
  return {};
}

Result<void> Journal::hold(const TaskId& id, ByteView report, Instant until) {
  return write_end([&]() -> Result<void> {
           RELAB_TRY(auto change, database_.prepare(
                                      "UPDATE task SET state = 5, report = ?, until = ? WHERE id = "
                                      "? AND state = 2 AND before <> x'' RETURNING 1"));
           change.bind(report).bind(static_cast<std::int64_t>(unix_millis(until))).bind(id.view());
           return change_one(change);
         })
      .during("storing the change of " + id.text());
}

Result<void> Journal::keep(const JournalEnd& end) {
  return write_end([&] { return store_end(end, "5"); })
      .during("keeping the change of " + end.id.text());
}

Result<void> Journal::retract(const TaskId& id) {
  return write_end([&] {
           return update("UPDATE task SET state = 2, report = x'' WHERE id = ? AND state = 5", id);
         })
      .during("taking back the change of " + id.text());
}

Result<std::optional<Newest>> Journal::newest_report(std::string_view arm,
                                                     std::string_view resource) {
  RELAB_TRY(auto rows,
            database_.prepare("SELECT report_digest, EXISTS(SELECT 1 FROM deed WHERE resource = ? "
                              "AND moment > newest.began) FROM newest WHERE arm = ?"));
  rows.bind(resource).bind(arm);
  RELAB_TRY(const bool found, rows.step());
  if (!found) return std::optional<Newest>();
  return std::optional(
      Newest{.digest = digest_from(rows.blob(0)), .outdated = rows.number(1) != 0});
}

Result<void> Journal::acknowledge(const TaskId& id) {
  // If it is lost, the report is delivered once more, as if the acknowledgement had been.
  RELAB_CHECK(database_.relaxed([&] {
    return update(
        "UPDATE task SET state = 4, order_bytes = x'', report = x'' WHERE id = ? AND state = 3",
        id);
  }));
  keep_ballast(folder_);
  return {};
}

Result<Bytes> Journal::checkpoint(const crypto::PublicKey& controller) {
  // The file is written first: where both are there, it is the newer one, or the same.
  if (const auto text = read_small_file(checkpoint_file(folder_, controller)); text) {
    const auto bytes = bytes_of(*text);
    return Bytes(bytes.begin(), bytes.end());
  }
  RELAB_TRY(auto rows, database_.prepare("SELECT envelope FROM checkpoint WHERE controller = ?"));
  rows.bind(ByteView(controller));
  RELAB_TRY(const bool found, rows.step());
  return found ? rows.blob(0) : Bytes();
}

Result<void> Journal::keep_checkpoint(const crypto::PublicKey& controller, ByteView envelope) {
  RELAB_CHECK(replace_file(checkpoint_file(folder_, controller), text_of(envelope)));
  RELAB_TRY(auto keep, database_.prepare("INSERT OR REPLACE INTO checkpoint VALUES(?, ?)"));
  return keep.bind(ByteView(controller)).bind(envelope).run();
}

Result<void> Journal::forget_checkpoint(const crypto::PublicKey& controller) {
  {
    RELAB_TRY(auto forget, database_.prepare("DELETE FROM checkpoint WHERE controller = ?"));
    RELAB_CHECK(forget.bind(ByteView(controller)).run());
  }
  std::error_code error;
  fs::remove(checkpoint_file(folder_, controller), error);
  return error ? fail(Fault::busy, error.message()) : Result<void>();
}

Result<std::uint64_t> Journal::room() const { return free_bytes(folder_); }

}  // namespace relab::agent
