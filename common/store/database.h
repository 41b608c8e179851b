#pragma once

/// SQLite, the one class that speaks to its C API: durable, one thread, errors as values.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <sqlite3.h>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/handle.h"
#include "common/base/result.h"

namespace relab::store {

/// Statements that were compiled before and are not in use, by their SQL.
using Shelf = std::multimap<std::string, CHandle<sqlite3_stmt, sqlite3_finalize>, std::less<>>;

/// A prepared statement: bind in order, step, read columns. It must not outlive its database, which
/// keeps what was compiled for the next time.
class Statement {
 public:
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement(Statement&&) noexcept = default;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  Statement& bind(std::int64_t value);
  Statement& bind(std::string_view text);
  Statement& bind(ByteView bytes);

  /// Whether there is a row to read.
  Result<bool> step();
  /// Steps once, to the end.
  Result<void> run();

  std::int64_t number(int column) const;
  std::string text(int column) const;
  Bytes blob(int column) const;

 private:
  friend class Database;
  Statement(CHandle<sqlite3_stmt, sqlite3_finalize> statement, Shelf& shelf)
      : statement_(std::move(statement)), shelf_(&shelf) {}

  CHandle<sqlite3_stmt, sqlite3_finalize> statement_;
  Shelf* shelf_;
  int bound_ = 0;
};

/// How a file is opened.
struct Opening {
  std::filesystem::path path;
  /// Written into the file; another application's file is refused.
  std::int32_t application_id;
  /// Run on an empty file, in one transaction; `version` is the file's version then.
  std::string_view schema;
  std::int32_t version;
  /// A file of this version is brought to `version` by `upgrade`, in one transaction; 0: none is.
  std::int32_t upgrades_from = 0;
  std::string_view upgrade = {};
};

class Database {
 public:
  /// In WAL mode with synchronous=FULL: a commit that returned survives the loss of power.
  /// Fault::damaged for a file that is no database, fails its check or belongs to another
  /// application; ::unsupported for one of a newer version.
  static Result<Database> open(const Opening& opening);
  /// Without writing anything, not even a journal beside it.
  static Result<Database> open_read_only(const Opening& opening);

  Result<Statement> prepare(std::string_view sql);
  /// Several statements without parameters.
  Result<void> execute(const std::string& sql);
  /// Rows that the last INSERT, UPDATE or DELETE wrote: a trigger may have it write none.
  std::int64_t changed() const;

  /// Runs the work between BEGIN IMMEDIATE and COMMIT; anything but success rolls back.
  template <typename Work>
  Result<void> transaction(Work work) {
    RELAB_CHECK(execute("BEGIN IMMEDIATE"));
    auto done = work();
    if (done) done = execute("COMMIT");
    if (!done) static_cast<void>(execute("ROLLBACK").has_value());
    return done;
  }

  /// Runs one change that may be undone by a loss of power, alone or with those after it, up to the
  /// next change that may not. It waits for no disk.
  template <typename Work>
  Result<void> relaxed(Work work) {
    RELAB_CHECK(execute("PRAGMA synchronous=NORMAL"));
    auto done = work();
    RELAB_CHECK(execute("PRAGMA synchronous=FULL"));
    return done;
  }

 private:
  explicit Database(sqlite3* connection) : connection_(connection) {}
  Result<void> check(const Opening& opening);
  Result<void> create(const Opening& opening);
  Result<void> bring_up(const Opening& opening);
  Result<std::int64_t> pragma(std::string_view name);
  Result<void> sync_log();

  CHandle<sqlite3, sqlite3_close_v2> connection_;
  /// Behind a pointer, since statements in use know where it is.
  std::unique_ptr<Shelf> shelf_ = std::make_unique<Shelf>();
};

}  // namespace relab::store
