#include "common/store/database.h"

#include <fmt/format.h>

#include "common/base/file.h"

namespace relab::store {

namespace {

/// Less free space than that is none: SQLite's index of its log alone takes half of it.
constexpr std::uint64_t room_min = 65536;

Fault fault_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
      return Fault::busy;
    case SQLITE_CANTOPEN:
      return Fault::missing;
    case SQLITE_CONSTRAINT:
      return Fault::conflict;
    default:
      return Fault::damaged;
  }
}

/// SQLite calls it an I/O error where it cannot make a file larger without writing to it.
bool is_full(int code, const char* file) {
  if ((code & 0xFF) == SQLITE_FULL) return true;
  if ((code & 0xFF) != SQLITE_IOERR || file == nullptr) return false;
  const auto room = free_bytes(std::filesystem::path(file).parent_path());
  return room && *room < room_min;
}

std::string hint_of(int code) {
  if ((code & 0xFF) == SQLITE_NOTADB || (code & 0xFF) == SQLITE_CORRUPT)
    return "put the file aside and restore it from a backup";
  return {};
}

Error error_of(sqlite3* connection) {
  const auto code = sqlite3_extended_errcode(connection);
  const auto* file = sqlite3_db_filename(connection, "main");
  const bool full = is_full(code, file);
  return {.fault = full ? Fault::busy : fault_of(code),
          .what = fmt::format("{}: {}", file == nullptr ? "database" : file,
                              full ? "the disk is full" : sqlite3_errmsg(connection)),
          .hint = full ? "free some space on that file system; nothing was lost" : hint_of(code)};
}

}  // namespace

Statement::~Statement() {
  if (!statement_) return;
  // What it says of the last step was told by that step.
  static_cast<void>(sqlite3_reset(statement_.get()));
  static_cast<void>(sqlite3_clear_bindings(statement_.get()));
  const auto* sql = sqlite3_sql(statement_.get());
  shelf_->emplace(sql, std::move(statement_));
}

Statement& Statement::bind(std::int64_t value) {
  RELAB_ASSERT(sqlite3_bind_int64(statement_.get(), ++bound_, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  RELAB_ASSERT(sqlite3_bind_text64(statement_.get(), ++bound_, text.data(), text.size(),
                                   SQLITE_TRANSIENT, SQLITE_UTF8) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(ByteView bytes) {
  // A null pointer would bind NULL rather than an empty blob.
  const void* start = bytes.empty() ? static_cast<const void*>("") : bytes.data();
  RELAB_ASSERT(sqlite3_bind_blob64(statement_.get(), ++bound_, start, bytes.size(),
                                   SQLITE_TRANSIENT) == SQLITE_OK);
  return *this;
}

Result<bool> Statement::step() {
  const auto code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return fail(error_of(sqlite3_db_handle(statement_.get())));
}

Result<void> Statement::run() {
  RELAB_TRY(const bool row, step());
  RELAB_ASSERT(!row);
  return {};
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::text(int column) const { return std::string(text_of(blob(column))); }

Bytes Statement::blob(int column) const {
  const auto* start =
      static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return start == nullptr ? Bytes() : Bytes(start, start + size);
}

Result<Statement> Database::prepare(std::string_view sql) {
  if (const auto kept = shelf_->find(sql); kept != shelf_->end()) {
    Statement statement(std::move(kept->second), *shelf_);
    shelf_->erase(kept);
    return statement;
  }
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()), 0, &statement,
                         nullptr) != SQLITE_OK)
    return fail(error_of(connection_.get()));
  return Statement(CHandle<sqlite3_stmt, sqlite3_finalize>(statement), *shelf_);
}

std::int64_t Database::changed() const { return sqlite3_changes64(connection_.get()); }

Result<void> Database::execute(const std::string& sql) {
  if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return fail(error_of(connection_.get()));
  return {};
}

Result<std::int64_t> Database::pragma(std::string_view name) {
  RELAB_TRY(auto statement, prepare(fmt::format("PRAGMA {}", name)));
  RELAB_TRY(const bool row, statement.step());
  return row ? statement.number(0) : 0;
}

Result<void> Database::create(const Opening& opening) {
  return transaction([&]() -> Result<void> {
    RELAB_CHECK(execute(std::string(opening.schema)));
    return execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version={}",
                               opening.application_id, opening.version));
  });
}

Result<void> Database::bring_up(const Opening& opening) {
  RELAB_TRY(const auto application, pragma("application_id"));
  RELAB_TRY(const auto version, pragma("user_version"));
  if (opening.upgrades_from == 0 || application != opening.application_id ||
      version != opening.upgrades_from)
    return {};
  return transaction([&]() -> Result<void> {
    RELAB_CHECK(execute(std::string(opening.upgrade)));
    return execute(fmt::format("PRAGMA user_version={}", opening.version));
  });
}

Result<void> Database::check(const Opening& opening) {
  RELAB_TRY(const auto application, pragma("application_id"));
  RELAB_TRY(const auto version, pragma("user_version"));
  if (application != opening.application_id)
    return fail(Fault::damaged,
                fmt::format("{} is another program's database", opening.path.string()),
                "check that the state directory is the right one");
  if (version != opening.version)
    return fail(Fault::unsupported,
                fmt::format("{} has version {}, this program knows {}", opening.path.string(),
                            version, opening.version),
                "use the version of relab that wrote it");
  RELAB_TRY(auto quick, prepare("PRAGMA quick_check(1)"));
  RELAB_TRY(const bool row, quick.step());
  if (!row || quick.text(0) != "ok")
    return fail(
        Fault::damaged,
        fmt::format("{} is damaged: {}", opening.path.string(), row ? quick.text(0) : "no answer"),
        "put the file aside and restore it from a backup");
  return {};
}

/// A program that was killed while it waited for the disk leaves changes that can be read and may
/// yet be lost with the power: whoever acts upon them must have them on the disk first.
Result<void> Database::sync_log() {
  sqlite3_file* log = nullptr;
  const auto code =
      sqlite3_file_control(connection_.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (code != SQLITE_OK || log == nullptr)
    return fail(Fault::damaged, "SQLite does not tell which one its log is");
  // Where nothing was written since the last program left, there is none.
  if (log->pMethods == nullptr) return {};
  if (log->pMethods->xSync(log, SQLITE_SYNC_FULL) == SQLITE_OK) return {};
  return fail(Fault::busy, "the log of the database cannot be written to the disk",
              "look for errors of that disk: `dmesg`");
}

Result<Database> Database::open(const Opening& opening) {
  sqlite3* connection = nullptr;
  const auto code = sqlite3_open_v2(
      opening.path.c_str(), &connection,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
      nullptr);
  Database database(connection);
  if (code != SQLITE_OK) return fail(error_of(connection));
  sqlite3_busy_timeout(connection, 5000);
  RELAB_TRY(const auto tables, database.pragma("schema_version"));
  RELAB_CHECK(
      database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                       "PRAGMA trusted_schema=OFF; "
                       "PRAGMA wal_autocheckpoint=200; PRAGMA cache_size=-256"));
  if (tables == 0) RELAB_CHECK(database.create(opening));
  RELAB_CHECK(database.bring_up(opening));
  RELAB_CHECK(database.check(opening));
  RELAB_CHECK(database.sync_log().during(opening.path.string()));
  return database;
}

Result<Database> Database::open_read_only(const Opening& opening) {
  sqlite3* connection = nullptr;
  const auto code = sqlite3_open_v2(opening.path.c_str(), &connection,
                                    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(connection);
  if (code != SQLITE_OK) return fail(error_of(connection));
  sqlite3_busy_timeout(connection, 5000);
  RELAB_CHECK(database.check(opening));
  RELAB_CHECK(database.sync_log().during(opening.path.string()));
  return database;
}

}  // namespace relab::store
