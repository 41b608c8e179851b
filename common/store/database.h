#pragma once

/// SQLite, the one class that speaks to its C API: durable, one thread, errors as values.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <sqlite3.h>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/handle.h"
#include "common/base/result.h"

namespace relab::store {

/// A prepared statement: bind in order, step, read columns. It must not outlive its database.
class Statement {
 public:
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
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  CHandle<sqlite3_stmt, sqlite3_finalize> statement_;
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

  /// Runs the work between BEGIN IMMEDIATE and COMMIT; anything but success rolls back.
  template <typename Work>
  Result<void> transaction(Work work) {
    RELAB_CHECK(execute("BEGIN IMMEDIATE"));
    auto done = work();
    if (done) done = execute("COMMIT");
    if (!done) static_cast<void>(execute("ROLLBACK").has_value());
    return done;
  }

 private:
  explicit Database(sqlite3* connection) : connection_(connection) {}
  Result<void> check(const Opening& opening);
  Result<void> create(const Opening& opening);
  Result<std::int64_t> pragma(std::string_view name);

  CHandle<sqlite3, sqlite3_close_v2> connection_;
};

}  // namespace relab::store
